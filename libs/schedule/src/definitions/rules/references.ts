import type { DefinitionKind } from '@catena/events';
import { nearestName } from '../../nearest-name.ts';
import type { DefinitionProblem } from '../problem.ts';
import { membersOf, textAt, valueAt, type Candidate, type World } from './world.ts';

/** A name in a definition that stands for another one. */
export interface Reference {
  readonly kind: DefinitionKind;
  readonly name: string;
  /** Below the document. */
  readonly path: readonly PropertyKey[];
}

/** Whom a definition names. */
export function referencesOf(kind: DefinitionKind, spec: unknown): Reference[] {
  switch (kind) {
    case 'Schedule':
      return [
        ...named('Source', spec, 'source'),
        ...named('Repository', spec, 'repository'),
        ...schedulesBefore(spec),
      ];
    case 'Subscription': {
      const sources = valueAt(spec, 'sources');
      if (!Array.isArray(sources)) return [];
      return sources.flatMap((name, index) =>
        typeof name === 'string' ? [{ kind: 'Source', name, path: ['spec', 'sources', index] } as const] : [],
      );
    }
    case 'Source':
    case 'Repository':
    case 'Limits':
      return [];
  }
}

/** The schedules that one waits for. */
export function schedulesBefore(spec: unknown): Reference[] {
  const after = valueAt(spec, 'after');
  if (!Array.isArray(after)) return named('Schedule', spec, 'after');
  return after.flatMap((name, index) =>
    typeof name === 'string' ? [{ kind: 'Schedule', name, path: ['spec', 'after', index] } as const] : [],
  );
}

function named(kind: DefinitionKind, spec: unknown, field: string): Reference[] {
  const name = textAt(spec, field);
  return name === undefined ? [] : [{ kind, name, path: ['spec', field] }];
}

/** Whoever is named is defined already, or in the same files. */
export function referenceRules(world: World): DefinitionProblem[] {
  return world.candidates.flatMap((candidate) =>
    referencesOf(candidate.kind, candidate.spec).flatMap((reference) =>
      unknownReference(world, candidate, reference),
    ),
  );
}

function unknownReference(
  world: World,
  candidate: Candidate,
  { kind, name, path }: Reference,
): DefinitionProblem[] {
  const members = membersOf(world, kind);
  if (members.has(name)) return [];
  const nearest = nearestName(name, [...members.keys()]);
  return [
    candidate.place({
      code: 'definition.reference',
      path,
      at: 'value',
      found: `"${name}", which is not defined`,
      expected: `the name of a ${kind}`,
      remedy:
        nearest === undefined
          ? `Define the ${kind} in the same files or before.`
          : `Did you mean "${nearest}"?`,
    }),
  ];
}
