import { scheduledRunId, type AnyDomainEvent } from '@catena/events';
import { dataCadences, isDependent } from '../cadence/effective-cadences.ts';
import { MINUTE } from '../calendar/cron-calendar.ts';
import { millisecondsOf } from '../calendar/recurrence.ts';
import type { CollectionKnowledge } from './collection-knowledge.ts';
import { dueTimes, nextDueTime, type DueTimes } from './due-times.ts';
import type { LiveSchedule } from './live-schedule.ts';
import { firing, skipping } from './schedule-events.ts';
import type { ScheduleState } from './schedule-state.ts';

/** A due time that nobody looked at for this long was missed and is caught up. */
const LATE = MINUTE;

/**
 * What a schedule does at an instant: runs that are due and what is due and becomes none, each with its reason.
 * Empty exactly when `nextDueInstant` lies after `now`. Deciding again over the folded events gives nothing, so a
 * clock that goes back fires nothing twice (rule 3.8).
 *
 * All data cadences due at one tick become one run, of the highest type (rules 3.4 and 3.5); copy-only fires on its
 * own. The events belong into one append.
 */
export function decideTick(
  state: ScheduleState,
  live: LiveSchedule,
  knowledge: CollectionKnowledge,
  now: string,
): AnyDomainEvent[] {
  if (state.paused) return [];
  const due = dueTimes(live, state, knowledge, now);
  const isWaiting = ({ cadence: { cadence } }: DueTimes) => isDependent(cadence) && waitsForFull(knowledge);
  const winner = due.find((times) => isData(times) && !isWaiting(times));
  const scheduleEvents: AnyDomainEvent[] = [];
  const runEvents: AnyDomainEvent[] = [];
  for (const times of due) {
    if (winner && isData(times) && times !== winner) {
      scheduleEvents.push(...missed(live, times, now));
      scheduleEvents.push(skipping(live, latestOf(times), now, 'superseded', winner.cadence.cadence));
    } else if (isWaiting(times)) {
      scheduleEvents.push(skipping(live, times, now, 'waitingForFull'));
    } else {
      const { fired, requested } = fire(live, times, now);
      scheduleEvents.push(...missed(live, times, now), fired);
      runEvents.push(requested);
    }
  }
  return [...scheduleEvents, ...runEvents];
}

/** When to look at a schedule again; a past instant means at once, nothing means never as it stands. */
export function nextDueInstant(
  state: ScheduleState,
  live: LiveSchedule,
  knowledge: CollectionKnowledge,
): string | undefined {
  return state.paused ? undefined : nextDueTime(live, state, knowledge);
}

/**
 * Until the first full exists dependents wait (rule 3.2). When it was tried and failed for good they no longer do:
 * what is due then is fired, and becomes a full where it is planned (rule 1.6).
 */
function waitsForFull({ firstFull }: CollectionKnowledge): boolean {
  return firstFull === 'none' || firstFull === 'pending';
}

function isData({ cadence }: DueTimes): boolean {
  return dataCadences.includes(cadence.cadence);
}

function fire(
  live: LiveSchedule,
  times: DueTimes,
  now: string,
): { fired: AnyDomainEvent; requested: AnyDomainEvent } {
  const { cadence, latest } = times;
  return firing(live, cadence, {
    nominal: latest,
    actual: now,
    run: scheduledRunId(live.uid, cadence.cadence, latest),
    reason: reasonOf(times, now),
  });
}

function reasonOf({ firstRun, count, latest }: DueTimes, now: string): 'firstRun' | 'catchUp' | 'due' {
  if (count > 1) return 'catchUp';
  if (firstRun) return 'firstRun';
  return millisecondsOf(now) - millisecondsOf(latest) >= LATE ? 'catchUp' : 'due';
}

/** All due times but the latest: not replayed one by one (rule 3.5). */
function missed(live: LiveSchedule, times: DueTimes, now: string): AnyDomainEvent[] {
  if (times.count === 1) return [];
  const others = { ...times, latest: times.beforeLatest, count: times.count - 1 };
  return [skipping(live, others, now, 'missed')];
}

function latestOf(times: DueTimes): DueTimes {
  return { ...times, first: times.latest, count: 1 };
}
