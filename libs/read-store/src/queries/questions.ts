import type { catalogRequests } from '@catena/events';
import type { z } from 'zod';

type Requests = typeof catalogRequests;

/** What a request of the catalog asks, checked. */
export type Question<Name extends keyof Requests> = z.output<Requests[Name]['input']>;
/** What it answers. */
export type Answer<Name extends keyof Requests> = z.output<Requests[Name]['output']>;
