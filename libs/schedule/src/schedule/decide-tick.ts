import { domainEvent, scheduledRunId, type AnyDomainEvent } from '@catena/events';
import { dataCadences, isDependent } from '../cadence/effective-cadences.ts';
import { MINUTE } from '../calendar/cron-calendar.ts';
import { isInWindow, nextClosing, windowText } from '../calendar/hour-window.ts';
import { isoInstant, millisecondsOf } from '../calendar/recurrence.ts';
import { dueTimes, earliest, nextDueTime, type DueRow, type DueTimes } from './due-times.ts';
import { startOf } from './jitter.ts';
import type { LiveCadence, LiveSchedule } from './live-schedule.ts';
import { isContinuous } from './continuous-cadence.ts';
import { obstacleOf } from './obstacle.ts';
import { delaying, firing, skipping } from './schedule-events.ts';
import type { ScheduleKnowledge } from './schedule-knowledge.ts';
import { laneOf, lanes, type Lane, type ScheduleState, type WaitingTick } from './schedule-state.ts';

/** A due time that nobody looked at for this long was missed and is caught up. */
const LATE = MINUTE;

/** What a tick is decided upon. */
interface Tick {
  readonly state: ScheduleState;
  readonly live: LiveSchedule;
  readonly knowledge: ScheduleKnowledge;
  readonly now: string;
}

/** A due time that may become a run now: a new one, or one that waited. */
interface Candidate {
  readonly cadence: LiveCadence;
  readonly row: DueRow;
  readonly firstRun: boolean;
  readonly waited: boolean;
}

interface Decided {
  readonly ticks: AnyDomainEvent[];
  readonly runs: AnyDomainEvent[];
}

/**
 * What a schedule does at an instant: runs that are due and what is due and becomes none, each with its reason.
 * Empty exactly when `nextDueInstant` lies after `now`. Deciding again over the folded events gives nothing, so a
 * clock that goes back fires nothing twice (rule 3.8).
 *
 * All data cadences due at one tick become one run, of the highest type (rules 3.4 and 3.5); logs and copy-only fire on
 * their own. The events belong into one append.
 */
export function decideTick(
  state: ScheduleState,
  live: LiveSchedule,
  knowledge: ScheduleKnowledge,
  now: string,
): AnyDomainEvent[] {
  if (state.paused) return [];
  const stop = reasonToStop(state, live, knowledge);
  if (stop !== undefined) return [pausing(live, stop)];
  const tick: Tick = { state, live, knowledge, now };
  const due = dueTimes(live, state, knowledge, now);
  const refused = due.flatMap((times) => neverRunnable(tick, times));
  const decisions: Decided[] = [];
  let used = state.runs ?? 0;
  for (const lane of lanes) {
    if (used >= (live.spec.policies.runs ?? Infinity)) break;
    const decided = decideLane(tick, lane, due);
    used += decided.runs.length;
    decisions.push(decided);
  }
  const all = [...refused, ...decisions.flatMap(({ ticks }) => ticks)];
  const runs = decisions.flatMap(({ runs: requested }) => requested);
  const isUsedUp = runs.length > 0 && used >= (live.spec.policies.runs ?? Infinity);
  return [...all, ...(isUsedUp ? [pausing(live, usedUp(used))] : []), ...runs];
}

/** When to look at a schedule again; a past instant means at once, nothing means never as it stands. */
export function nextDueInstant(
  state: ScheduleState,
  live: LiveSchedule,
  knowledge: ScheduleKnowledge,
): string | undefined {
  if (state.paused) return undefined;
  if (reasonToStop(state, live, knowledge) !== undefined) return live.createdAt;
  const next = nextDueTime(live, state, knowledge);
  const waiting = Object.values(state.waiting ?? {}).map((one) => wakeOf(live, knowledge, one));
  return earliest([next, ...waiting].flatMap((instant) => instant ?? []));
}

/** When something becomes of what waits: at once when its way is free, else when its hours end. */
function wakeOf(live: LiveSchedule, knowledge: ScheduleKnowledge, waiting: WaitingTick): string | undefined {
  const cadence = live.cadences.find((one) => one.cadence === waiting.cadence);
  if (!cadence || obstacleOf(live, cadence, knowledge)?.kind !== 'delay') return waiting.since;
  const { window } = live.spec.policies;
  if (!window) return undefined;
  if (!isInWindow(window, millisecondsOf(waiting.since), live.spec.timeZone)) return waiting.since;
  const closing = nextClosing(window, millisecondsOf(waiting.since), live.spec.timeZone);
  return closing === undefined ? undefined : isoInstant(closing);
}

/** Why a schedule pauses itself (rule 3.7). */
function reasonToStop(
  state: ScheduleState,
  { spec: { policies } }: LiveSchedule,
  { failures }: ScheduleKnowledge,
): string | undefined {
  const most = policies.pauseAfterFailures ?? (policies.onExecutionFailure === 'pause' ? 1 : Infinity);
  if (failures && failures.count >= most) {
    const row = failures.count === 1 ? '' : `${failures.count} runs in a row failed, the last was `;
    return `${row}${failures.run}${failures.count === 1 ? ' failed' : ''}`;
  }
  const used = state.runs ?? 0;
  return used >= (policies.runs ?? Infinity) ? usedUp(used) : undefined;
}

function usedUp(runs: number): string {
  return `all ${runs} runs that it may make are made`;
}

function pausing(live: LiveSchedule, reason: string): AnyDomainEvent {
  return domainEvent('schedule.paused', live.uid, { schedule: live.name, reason });
}

/** Due times in which nothing may run. */
function neverRunnable(
  { live, now }: Tick,
  { cadence, excluded, outsideWindow }: DueTimes,
): AnyDomainEvent[] {
  const { window } = live.spec.policies;
  return [
    ...(excluded ? [skipping(live, { cadence, ...excluded }, now, 'excluded', excluded.by)] : []),
    ...(outsideWindow && window
      ? [skipping(live, { cadence, ...outsideWindow }, now, 'outsideWindow', windowText(window))]
      : []),
  ];
}

function decideLane(tick: Tick, lane: Lane, due: readonly DueTimes[]): Decided {
  const { live, now } = tick;
  const ticks: AnyDomainEvent[] = [];
  const candidates: Candidate[] = [];
  for (const candidate of candidatesOf(tick, lane, due)) {
    const refusal = refusalOf(tick, candidate);
    if (refusal)
      ticks.push(skipping(live, { cadence: candidate.cadence, ...candidate.row }, now, ...refusal));
    else candidates.push(candidate);
  }
  const winner = candidates.find(({ cadence }) => !waitsForFull(cadence, tick.knowledge));
  if (!winner) {
    const waiting = candidates.map(({ cadence, row }) =>
      skipping(live, { cadence, ...row }, now, 'waitingForFull'),
    );
    return { ticks: [...ticks, ...waiting], runs: [] };
  }
  const decided = decideWinner(tick, winner, candidates);
  return { ticks: [...ticks, ...decided.ticks], runs: decided.runs };
}

/** What might run, from the highest cadence to the lowest, of equal ones the new before the waiting one. */
function candidatesOf({ state, live }: Tick, lane: Lane, due: readonly DueTimes[]): Candidate[] {
  const fresh = due.flatMap(({ cadence, runnable, firstRun }) =>
    runnable && laneOf(cadence.cadence) === lane ? [{ cadence, row: runnable, firstRun, waited: false }] : [],
  );
  const waiting = state.waiting?.[lane];
  if (!waiting) return fresh;
  const { nominal } = waiting;
  // A cadence that was taken out of the definition while it waited still wants its event.
  const cadence = live.cadences.find((one) => one.cadence === waiting.cadence) ?? {
    cadence: waiting.cadence,
    rhythm: '',
    copyOnly: false,
    chosen: false,
    since: waiting.since,
  };
  const row: DueRow = { first: nominal, beforeLatest: nominal, latest: nominal, count: 1 };
  const candidates: Candidate[] = [...fresh, { cadence, row, firstRun: false, waited: true }];
  return candidates.toSorted((left, right) => rankOf(left) - rankOf(right));
}

function rankOf({ cadence, waited }: Candidate): number {
  return dataCadences.indexOf(cadence.cadence) * 2 + (waited ? 1 : 0);
}

type Refusal = [reason: 'missed' | 'outsideWindow' | 'superseded', by?: string];

/** Why a due time that nothing stands in the way of still becomes no run. */
function refusalOf({ live, now }: Tick, candidate: Candidate): Refusal | undefined {
  const { cadence, row, firstRun, waited } = candidate;
  if (waited && cadence.rhythm === '') return ['superseded'];
  const { catchUp, catchUpWindow = Infinity, window } = live.spec.policies;
  const late = latenessOf(live, row, now);
  if (!waited && !firstRun && late >= LATE && (catchUp === 'none' || late > catchUpWindow)) return ['missed'];
  if (isContinuous(cadence)) return undefined;
  const isOutside = window && !firstRun && !isInWindow(window, millisecondsOf(now), live.spec.timeZone);
  return isOutside ? ['outsideWindow', windowText(window)] : undefined;
}

/** How long after its start a due time is looked at, in milliseconds. */
function latenessOf(live: LiveSchedule, { latest }: DueRow, now: string): number {
  return millisecondsOf(now) - startOf(live, millisecondsOf(latest));
}

function decideWinner(tick: Tick, winner: Candidate, candidates: readonly Candidate[]): Decided {
  const { live, knowledge, now } = tick;
  const obstacle = obstacleOf(live, winner.cadence, knowledge);
  if (!obstacle) return fire(tick, winner, candidates);
  const skip = (candidate: Candidate, row: DueRow) =>
    skipping(live, { cadence: candidate.cadence, ...row }, now, 'overlap', obstacle.by);
  if (obstacle.kind === 'skip') {
    const ticks = candidates.map(({ cadence, row }) =>
      skipping(live, { cadence, ...row }, now, obstacle.reason, obstacle.by),
    );
    return { ticks, runs: [] };
  }
  const waiting = candidates.find(({ waited }) => waited);
  // What waits keeps its place (at most one waits), unless something higher is due meanwhile.
  if (waiting && waiting.cadence.cadence === winner.cadence.cadence) {
    const others = candidates.filter(({ waited }) => !waited);
    return { ticks: others.map((other) => skip(other, other.row)), runs: [] };
  }
  const [first, ...others] = candidates;
  const ticks = first === undefined ? [] : missed(live, first, now);
  for (const other of others) ticks.push(superseded(live, other, winner, now));
  ticks.push(
    delaying(live, winner.cadence, {
      nominal: winner.row.latest,
      actual: now,
      reason: obstacle.reason,
      by: obstacle.by,
    }),
  );
  return { ticks, runs: [] };
}

function fire(tick: Tick, winner: Candidate, candidates: readonly Candidate[]): Decided {
  const { live, now } = tick;
  const { cadence, row } = winner;
  const { fired, requested } = firing(live, cadence, {
    nominal: row.latest,
    actual: now,
    run: scheduledRunId(live.uid, cadence.cadence, row.latest),
    reason: reasonOf(live, winner, now),
  });
  const ticks: AnyDomainEvent[] = [];
  for (const candidate of candidates) {
    if (candidate === winner) ticks.push(...missed(live, candidate, now), fired);
    else ticks.push(...missed(live, candidate, now), superseded(live, latestOf(candidate), winner, now));
  }
  return { ticks, runs: [requested] };
}

/**
 * Until the first full exists dependents wait (rule 3.2). When it was tried and failed for good they no longer do:
 * what is due then is fired, and becomes a full where it is planned (rule 1.6). A log chain is begun by a full and
 * cannot become one.
 */
function waitsForFull({ cadence }: LiveCadence, { firstFull }: ScheduleKnowledge): boolean {
  if (cadence === 'log') return firstFull !== 'completed';
  return isDependent(cadence) && (firstFull === 'none' || firstFull === 'pending');
}

function reasonOf(
  live: LiveSchedule,
  { row, firstRun, waited }: Candidate,
  now: string,
): 'firstRun' | 'catchUp' | 'due' {
  if (row.count > 1) return 'catchUp';
  if (firstRun) return 'firstRun';
  return !waited && latenessOf(live, row, now) >= LATE ? 'catchUp' : 'due';
}

/** All due times but the latest: not replayed one by one (rule 3.5). */
function missed(live: LiveSchedule, { cadence, row }: Candidate, now: string): AnyDomainEvent[] {
  if (row.count === 1) return [];
  return [skipping(live, { cadence, ...row, latest: row.beforeLatest, count: row.count - 1 }, now, 'missed')];
}

function superseded(
  live: LiveSchedule,
  { cadence, row }: Candidate,
  winner: Candidate,
  now: string,
): AnyDomainEvent {
  return skipping(live, { cadence, ...row }, now, 'superseded', winner.cadence.cadence);
}

function latestOf(candidate: Candidate): Candidate {
  const { row } = candidate;
  return { ...candidate, row: { ...row, first: row.latest, count: 1 } };
}
