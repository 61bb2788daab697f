/** From where a log backup goes on: pure, from what the collection knows and what the server says of its history. */
import { HistoryLostError } from '../../port/history-lost-error.ts';
import { forkOf, type ForkPlace, type TimelineSwitch } from '../cluster/fork.ts';
import { formatLsn } from '../wire/lsn.ts';

/** One stretch of one timeline. */
export interface LogStretch {
  readonly timeline: number;
  readonly start: bigint;
  /** Where the timeline ends; undefined for the one the server is on. */
  readonly end: bigint | undefined;
  readonly fork: ForkPlace;
}

/**
 * The stretch that follows on a place in the log. One log backup covers one timeline: where it ended, the next begins.
 * A place that the server's history has left behind goes on at the point where it was left (rules.md section 1); one from before
 * the fork began goes on on the fork that it lies on, of those that this one comes from.
 * @param known the fork the place lies on; undefined: the one the server is on
 * @param switches what the history of the server's timeline says, oldest first
 * @throws HistoryLostError when the server's history does not hold the fork.
 */
export function stretchAfter(
  place: bigint,
  known: string | undefined,
  timeline: number,
  switches: readonly TimelineSwitch[],
): LogStretch {
  const stretches: LogStretch[] = [...switches, { timeline, position: undefined }].map(
    ({ timeline: number, position }, index) => ({
      timeline: number,
      start: index === 0 ? 0n : (switches[index - 1]?.position ?? 0n),
      end: position,
      fork: forkOf(number, switches.slice(0, index)),
    }),
  );
  const index =
    known === undefined ? stretches.length - 1 : stretches.findIndex(({ fork }) => fork.fork === known);
  // A data backup may have told of the branch before the log of the one that it left was taken to its end.
  const lies = stretches.findLastIndex(({ start }, at) => at <= index && (start <= place || at === 0));
  const own = stretches[lies];
  if (own === undefined)
    throw new HistoryLostError(
      'recycled',
      `The log goes on at ${formatLsn(place)} on branch ${known}, which is not in the history of the server's timeline ${timeline}.`,
      'Take a full backup: it begins the log chain again. If this is another cluster, define it as a source of its own.',
    );
  if (own.end === undefined || place < own.end) return { ...own, start: place };
  const next = stretches[lies + 1];
  if (next === undefined) return { ...own, start: place };
  return next;
}
