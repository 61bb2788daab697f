import type { Specification } from '@catena/events';
import { textAt, valueAt } from './rules/world.ts';

/** Movers that were given no other pool. */
export const DEFAULT_POOL = 'default';

/** What a stored Source or Repository says about sharing; whatever its driver or store is. */
export interface Sharing {
  /** Most runs with it at once; absent: it says nothing. */
  readonly runsAtOnce?: number;
  readonly pool: string;
}

/** Reads only these two fields, so that it answers for drivers and stores of any build. */
export function sharingOf(spec: Specification | undefined): Sharing {
  const runs = valueAt(spec, 'runsAtOnce');
  return {
    ...(typeof runs === 'number' ? { runsAtOnce: runs } : {}),
    pool: textAt(spec, 'pool') ?? DEFAULT_POOL,
  };
}
