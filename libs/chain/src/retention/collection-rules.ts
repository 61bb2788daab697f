import { CatenaError } from '@catena/events';
import type { RetentionPolicy } from './policy.ts';
import { readRetentionPolicy } from './read-policy.ts';

/** A schedule that writes to a collection, as far as retention is concerned. */
export interface RetentionWriter {
  readonly name: string;
  readonly uid: string;
  readonly timeZone: string;
  /** Whether it takes anything but copy-only backups. */
  readonly conventional: boolean;
  /** `spec.retention`; undefined when it says nothing. */
  readonly retention: unknown;
}

/** What the schedules of a collection say of its retention. */
export interface CollectionRules {
  /** Undefined: everything is kept. */
  readonly policy: RetentionPolicy | undefined;
  /** Whose days count. */
  readonly timeZone: string;
  /** Uids of the schedules that write there now; what others took, or a person did, is `manual`. */
  readonly schedules: ReadonlySet<string>;
  /** Why the policies cannot be followed: then everything is kept. */
  readonly contradiction?: string;
}

/**
 * One conventional schedule says what becomes of data backups; of the others only `copyOnly` and `manual` count. Two that
 * say it are a contradiction, which is not resolved by taking the lowest (rules.md 5.3).
 */
export function collectionRules(writers: readonly RetentionWriter[]): CollectionRules {
  const withPolicy = writers.filter(({ retention }) => retention !== undefined);
  const conventional = withPolicy.filter((one) => one.conventional);
  const [main] = conventional.length > 0 ? conventional : withPolicy;
  const base = {
    timeZone: (main ?? writers[0])?.timeZone ?? 'UTC',
    schedules: new Set(writers.map(({ uid }) => uid)),
  };
  if (conventional.length > 1) {
    const names = conventional.map(({ name }) => name).join(' and ');
    const contradiction = `The schedules ${names} both say what becomes of the same backups; leave retention to one of them.`;
    return { ...base, policy: undefined, contradiction };
  }
  const policies = new Map<RetentionWriter, RetentionPolicy>();
  for (const writer of withPolicy) {
    const policy = readPolicy(writer);
    if (typeof policy === 'string') return { ...base, policy: undefined, contradiction: policy };
    policies.set(writer, policy);
  }
  return { ...base, policy: main && joined(policies, main) };
}

function joined(
  policies: ReadonlyMap<RetentionWriter, RetentionPolicy>,
  main: RetentionWriter,
): RetentionPolicy {
  const { rules, ...own } = policies.get(main) ?? {};
  const all = [own, ...policies.values()];
  const copyOnly = all.find((policy) => policy.copyOnly !== undefined)?.copyOnly;
  const manual = all.find((policy) => policy.manual !== undefined)?.manual;
  return {
    ...own,
    ...(rules === undefined || !main.conventional ? {} : { rules }),
    ...(copyOnly === undefined ? {} : { copyOnly }),
    ...(manual === undefined ? {} : { manual }),
  };
}

function readPolicy({ name, retention }: RetentionWriter): RetentionPolicy | string {
  try {
    return readRetentionPolicy(retention);
  } catch (error) {
    if (!(error instanceof CatenaError)) throw error;
    return `The retention of the schedule ${name} cannot be followed: ${error.message}`;
  }
}
