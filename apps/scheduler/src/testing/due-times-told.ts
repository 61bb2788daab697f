import type { AnyRecordedEvent } from '@catena/events';
import { instantsAfter, millisecondsOf } from '@catena/schedule';

/** What became of the due times of one schedule, as its events tell it. */
export interface TimesTold {
  /** Nominal instants of its firings, in the order of the log. */
  readonly fired: readonly string[];
  readonly reasons: readonly string[];
  /** Stretches that were not run, the reason with each. */
  readonly skipped: readonly { reason: string; from: string; to: string; count: number }[];
}

export function timesTold(events: readonly AnyRecordedEvent[], schedule: string): TimesTold {
  const fired: string[] = [];
  const reasons: string[] = [];
  const skipped: TimesTold['skipped'][number][] = [];
  for (const event of events) {
    if (event.type === 'schedule.fired' && event.data.schedule === schedule) {
      fired.push(event.data.nominal);
      reasons.push(event.data.reason);
    } else if (event.type === 'schedule.skipped' && event.data.schedule === schedule) {
      const { reason, nominal, until = nominal, missed = 1 } = event.data;
      skipped.push({ reason, from: nominal, to: until, count: missed });
    }
  }
  return { fired, reasons, skipped };
}

/**
 * What is wrong with a schedule's firings: a time that fired twice or both fired and not, a time between the first and
 * the last that nothing was said of, a run without its firing or the other way round. Few times are checked one by one.
 * @param rhythm of its only cadence, in UTC
 */
export function flawsOfTimes(
  events: readonly AnyRecordedEvent[],
  schedule: string,
  rhythm: string,
): string[] {
  const { fired, skipped } = timesTold(events, schedule);
  const flaws: string[] = [];
  const isSkipped = (at: string) => skipped.some(({ from, to }) => from <= at && at <= to);
  const ran = new Set(fired);
  if (ran.size < fired.length) flaws.push(`${schedule}: of ${fired.length} firings ${ran.size} differ`);
  for (const at of ran) if (isSkipped(at)) flaws.push(`${schedule}: ${at} fired and was skipped`);
  const all = [...ran, ...skipped.flatMap(({ from, to }) => [from, to])].sort();
  const [first, last] = [all[0], all.at(-1)];
  if (first !== undefined && last !== undefined) {
    const before = new Date(millisecondsOf(first) - 1).toISOString();
    for (const at of instantsAfter(rhythm, 'UTC', before, { until: last }))
      if (!ran.has(at) && !isSkipped(at)) flaws.push(`${schedule}: nothing is said of ${at}`);
  }
  const asked = events.filter((event) => event.type === 'run.requested' && event.data.schedule === schedule);
  if (asked.length !== fired.length) flaws.push(`${schedule}: ${fired.length} firings, ${asked.length} runs`);
  return flaws;
}
