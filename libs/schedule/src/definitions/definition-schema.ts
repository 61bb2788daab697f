import { z } from 'zod';
import type { DefinitionKind } from '@catena/events';
import { fields } from './shape/building-blocks.ts';
import { limitsSpec } from './kinds/limits.ts';
import { metadata } from './kinds/metadata.ts';
import { repositorySpec } from './kinds/repository.ts';
import { scheduleSpec } from './kinds/schedule.ts';
import { sourceSpec } from './kinds/source.ts';
import { subscriptionSpec } from './kinds/subscription.ts';

export const API_VERSION = 'catena/v1';

/** The schema of each kind's spec. A new kind is one more line here and its rules in `rules/`. */
export const specSchemas = {
  Source: sourceSpec,
  Repository: repositorySpec,
  Schedule: scheduleSpec,
  Subscription: subscriptionSpec,
  Limits: limitsSpec,
} as const satisfies Record<DefinitionKind, z.ZodType>;

const apiVersion = z.literal(API_VERSION, { error: API_VERSION }).describe('The version of this format.');

function documentOf<K extends DefinitionKind>(kind: K) {
  return fields({
    apiVersion,
    kind: z.literal(kind, { error: kind }),
    metadata,
    spec: specSchemas[kind],
  });
}

/** The schema of a whole document, by kind. */
export const documentSchemas = {
  Source: documentOf('Source'),
  Repository: documentOf('Repository'),
  Schedule: documentOf('Schedule'),
  Subscription: documentOf('Subscription'),
  Limits: documentOf('Limits'),
} as const;

/** What every document has, for one whose kind is not known. */
export const documentFrame = fields({
  apiVersion,
  kind: z.enum(Object.keys(specSchemas), { error: `one of ${Object.keys(specSchemas).join(', ')}` }),
  metadata,
  spec: z.record(z.string(), z.unknown(), { error: 'a map' }),
});

/** The JSON Schema that editors complete definitions with; published as docs/schema/catena-v1.schema.json. */
export function definitionJsonSchema(): Record<string, unknown> {
  const { Source, Repository, Schedule, Subscription, Limits } = documentSchemas;
  const schema = z.discriminatedUnion('kind', [Source, Repository, Schedule, Subscription, Limits]);
  return {
    ...z.toJSONSchema(schema, { io: 'input', target: 'draft-07' }),
    title: 'Catena definition',
    description: 'One document of a Catena definition file; docs/definitions.md explains every field.',
  };
}
