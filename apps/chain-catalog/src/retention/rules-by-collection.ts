import { collectionIdOf, type DefinitionKind, type DefinitionSnapshot } from '@catena/events';
import { collectionRules, type CollectionRules, type RetentionWriter } from '@catena/chain';
import { readScheduleSpec, SpecNotUnderstoodError, type ScheduleSpec } from '@catena/schedule';

/** The rules of each collection that a schedule writes to, as the definitions are now. */
export function rulesByCollection(
  schedules: Iterable<DefinitionSnapshot>,
  definition: (kind: DefinitionKind, name: string) => DefinitionSnapshot | undefined,
): ReadonlyMap<string, CollectionRules> {
  const writers = new Map<string, RetentionWriter[]>();
  for (const { name, uid, spec: stored } of schedules) {
    const spec = specOf(stored);
    // What is written by who is not understood counts as by hand, and is kept.
    if (spec === undefined) continue;
    const source = definition('Source', spec.source);
    const repository = definition('Repository', spec.repository);
    if (source === undefined || repository === undefined) continue;
    const { timeZone, retention } = spec;
    const writer = { name, uid, timeZone, retention, conventional: takesDataBackups(spec) };
    const id = collectionIdOf(source.uid, repository.uid);
    writers.set(id, [...(writers.get(id) ?? []), writer]);
  }
  return new Map([...writers].map(([id, all]) => [id, collectionRules(all)]));
}

function takesDataBackups({ cadences }: ScheduleSpec): boolean {
  return Object.keys(cadences).some((cadence) => cadence !== 'copyOnly');
}

function specOf(stored: DefinitionSnapshot['spec']): ScheduleSpec | undefined {
  try {
    return readScheduleSpec(stored);
  } catch (error) {
    if (error instanceof SpecNotUnderstoodError) return undefined;
    throw error;
  }
}
