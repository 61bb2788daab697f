import { CatenaError, parseEventSubject, type ErrorDescription } from '@catena/events';
import type { EventLog } from '../port/event-log.ts';
import { ChainCheck } from '../record/chain-check.ts';
import { decodeEvent } from '../record/decode-event.ts';
import { eventHash } from '../record/event-hash.ts';
import { GapCheck } from '../record/gap-check.ts';
import { PREVIOUS_HEADER, type StoredEvent } from '../record/stored-event.ts';

/** Something wrong with one event. */
export interface LogProblem {
  readonly sequence: number;
  readonly error: ErrorDescription;
}

/** What walking the log found. */
export interface LogVerification {
  readonly events: number;
  readonly aggregates: number;
  /** Sequence of the last event. */
  readonly last: number;
  /** The first ones; `problemCount` has them all. */
  readonly problems: readonly LogProblem[];
  readonly problemCount: number;
}

/** Most problems that are described; the rest is counted. */
const DESCRIBED = 100;

/** How often progress is told, in events. */
const TELL_EVERY = 1_000;

export interface WalkOptions {
  readonly signal?: AbortSignal;
  /** Told now and then how far it came. */
  readonly onProgress?: (sequence: number) => void;
}

/**
 * Walks the whole log: every sequence is there, every event can be read by this build, every hash chain holds. Goes on
 * behind a problem, so that all of them are found. Holds one hash for each aggregate, about 200 bytes.
 */
export async function verifyLog(log: EventLog, options: WalkOptions = {}): Promise<LogVerification> {
  const chain = new ChainCheck({ complete: true });
  const gaps = new GapCheck(1);
  const problems: LogProblem[] = [];
  let problemCount = 0;
  let last = 0;
  let events = 0;
  const check = (sequence: number, work: () => void) => {
    try {
      work();
    } catch (thrown) {
      if (!(thrown instanceof CatenaError)) throw thrown;
      problemCount += 1;
      if (problems.length < DESCRIBED) problems.push({ sequence, error: thrown.describe() });
    }
  };
  for await (const stored of log.readStored(options.signal ? { signal: options.signal } : {})) {
    check(stored.sequence, () => gaps.accept(stored.sequence));
    check(stored.sequence, () => decodeEvent(stored));
    check(stored.sequence, () => chain.accept(linkOf(stored)));
    last = stored.sequence;
    events += 1;
    if (events % TELL_EVERY === 0) options.onProgress?.(last);
  }
  options.onProgress?.(last);
  return { events, aggregates: chain.aggregates, last, problems, problemCount };
}

/** What of a stored event makes the chain. */
export function linkOf(stored: StoredEvent) {
  return {
    sequence: stored.sequence,
    aggregate: parseEventSubject(stored.subject).aggregate,
    previousHash: stored.headers.find(([name]) => name === PREVIOUS_HEADER)?.[1] ?? '',
    hash: eventHash(stored),
  };
}
