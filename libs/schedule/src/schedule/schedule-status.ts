import { waitingText, type Cadence } from '@catena/events';
import { isDependent } from '../cadence/effective-cadences.ts';
import { nextDueTime } from './due-times.ts';
import { owedFirstRun } from './first-run.ts';
import type { LiveSchedule } from './live-schedule.ts';
import type { OpenRun, Outcomes } from './runs-seen.ts';
import type { ScheduleKnowledge } from './schedule-knowledge.ts';
import type { ScheduleState, WaitingTick } from './schedule-state.ts';

/** How a schedule stands, in the words that people ask for it. */
export interface ScheduleStatus {
  readonly status: 'active' | 'paused' | 'waitingForFull' | 'finished';
  readonly cadences: { cadence: Cadence; rhythm: string; chosen: boolean; next?: string }[];
  readonly firstRun?: string;
  readonly nextRun?: string;
  /** Why it is paused, what it waits for, why the last tick did not run; empty when there is nothing to say. */
  readonly state: string;
  readonly waiting: WaitingTick[];
}

/** Reads a schedule's history and what is known of its runs as a status (F38, F54). */
export function scheduleStatus(
  state: ScheduleState,
  live: LiveSchedule,
  knowledge: ScheduleKnowledge,
  { failures, last }: Outcomes,
  open: readonly OpenRun[] = [],
): ScheduleStatus {
  const cadences = live.cadences.map(({ cadence, rhythm, chosen }) => {
    const only = { ...live, cadences: live.cadences.filter((one) => one.cadence === cadence) };
    const next = state.paused ? undefined : nextDueTime(only, state, knowledge);
    return { cadence, rhythm, chosen, ...(next === undefined ? {} : { next }) };
  });
  const nextRun = state.paused ? undefined : nextDueTime(live, state, knowledge);
  const waits = knowledge.firstFull === 'none' || knowledge.firstFull === 'pending';
  const waitsForFull = waits && live.cadences.some(({ cadence }) => isDependent(cadence));
  const firstRun = state.firstFired ?? owedFirstRun(live, state, knowledge) ?? nextRun;
  const waiting = Object.values(state.waiting ?? {});
  return {
    status: state.paused
      ? 'paused'
      : nextRun === undefined && waiting.length === 0
        ? 'finished'
        : waitsForFull
          ? 'waitingForFull'
          : 'active',
    cadences,
    ...(firstRun === undefined ? {} : { firstRun }),
    ...(nextRun === undefined ? {} : { nextRun }),
    state: stateText(state, waitsForFull, waiting, open, failures > 0 ? last?.run : undefined),
    waiting,
  };
}

function stateText(
  { paused, lastSkip, lastFired }: ScheduleState,
  waitsForFull: boolean,
  waiting: readonly WaitingTick[],
  open: readonly OpenRun[],
  failed: string | undefined,
): string {
  if (paused) return paused.reason ?? 'paused by hand';
  const [tick] = waiting;
  if (tick) return `${tick.cadence} of ${tick.nominal} waits (${tick.reason}) for ${tick.by}`;
  const held = open.find((run) => run.waiting !== undefined);
  if (held?.waiting) return `${held.run} ${waitingText(held.waiting)}`;
  if (failed !== undefined) return `${failed} failed`;
  if (waitsForFull) return 'waiting for initial backup';
  // Once the cadence has fired again, why it did not before is history.
  if (!lastSkip || lastSkip.reason === 'superseded') return '';
  const last = lastSkip.until ?? lastSkip.nominal;
  if ((lastFired[lastSkip.cadence] ?? '') > last) return '';
  return `${lastSkip.cadence} of ${last} did not run: ${lastSkip.reason}${lastSkip.by === undefined ? '' : ` (${lastSkip.by})`}`;
}
