import { CatenaError, collectionIdOf, type DefinitionKind, type DefinitionSnapshot } from '@catena/events';
import { readRetentionPolicy, type RetentionPolicy } from '@catena/chain';
import { readScheduleSpec, SpecNotUnderstoodError, type ScheduleSpec } from '@catena/schedule';

/** What the schedules of a collection say of its retention. */
export interface CollectionRules {
  readonly collection: string;
  /** Undefined: everything is kept. */
  readonly policy: RetentionPolicy | undefined;
  /** Whose days count. */
  readonly timeZone: string;
  /** Uids of the schedules that write there now; what others took, or a person did, is `manual`. */
  readonly schedules: ReadonlySet<string>;
  /** Why the policies cannot be followed. */
  readonly contradiction?: string;
}

interface Writer {
  readonly name: string;
  readonly uid: string;
  readonly spec: ScheduleSpec;
}

/**
 * The rules of each collection that a schedule writes to, as the definitions are now. One conventional schedule says what
 * becomes of data backups; of the others only `copyOnly` and `manual` count (rules.md 5.3).
 */
export function collectionRules(
  schedules: Iterable<DefinitionSnapshot>,
  definition: (kind: DefinitionKind, name: string) => DefinitionSnapshot | undefined,
): ReadonlyMap<string, CollectionRules> {
  const writers = new Map<string, Writer[]>();
  for (const { name, uid, spec: stored } of schedules) {
    const spec = specOf(stored);
    // What is written by who is not understood counts as by hand, and is kept.
    if (spec === undefined) continue;
    const source = definition('Source', spec.source);
    const repository = definition('Repository', spec.repository);
    if (source === undefined || repository === undefined) continue;
    const id = collectionIdOf(source.uid, repository.uid);
    writers.set(id, [...(writers.get(id) ?? []), { name, uid, spec }]);
  }
  return new Map([...writers].map(([id, all]) => [id, rulesOf(id, all)]));
}

function rulesOf(collection: string, writers: readonly Writer[]): CollectionRules {
  const withPolicy = writers.filter(({ spec }) => spec.retention !== undefined);
  const conventional = withPolicy.filter(({ spec }) => isConventional(spec));
  const [main] = conventional.length > 0 ? conventional : withPolicy;
  const base = {
    collection,
    timeZone: (main ?? writers[0])?.spec.timeZone ?? 'UTC',
    schedules: new Set(writers.map(({ uid }) => uid)),
  };
  if (conventional.length > 1) {
    const names = conventional.map(({ name }) => name).join(' and ');
    const contradiction = `The schedules ${names} both say what becomes of the same backups. Leave retention to one of them.`;
    return { ...base, policy: undefined, contradiction };
  }
  const read: { one: Writer; policy: RetentionPolicy }[] = [];
  for (const one of withPolicy) {
    try {
      read.push({ one, policy: readRetentionPolicy(one.spec.retention) });
    } catch (error) {
      if (!(error instanceof CatenaError)) throw error;
      const contradiction = `The retention of the schedule ${one.name} cannot be followed: ${error.message}`;
      return { ...base, policy: undefined, contradiction };
    }
  }
  const own = read.find(({ one }) => one === main)?.policy;
  const others = read.filter(({ one }) => one !== main).map(({ policy }) => policy);
  const borrowed = <K extends 'copyOnly' | 'manual'>(kind: K) =>
    own?.[kind] ?? others.find((policy) => policy[kind] !== undefined)?.[kind];
  const [copyOnly, manual] = [borrowed('copyOnly'), borrowed('manual')];
  const policy =
    own === undefined
      ? undefined
      : { ...own, ...(copyOnly ? { copyOnly } : {}), ...(manual ? { manual } : {}) };
  return { ...base, policy };
}

function specOf(stored: DefinitionSnapshot['spec']): ScheduleSpec | undefined {
  try {
    return readScheduleSpec(stored);
  } catch (error) {
    if (error instanceof SpecNotUnderstoodError) return undefined;
    throw error;
  }
}

function isConventional({ cadences }: ScheduleSpec): boolean {
  return Object.keys(cadences).some((cadence) => cadence !== 'copyOnly');
}
