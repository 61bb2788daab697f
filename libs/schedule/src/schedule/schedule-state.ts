import type { Cadence, EventData } from '@catena/events';
import { ownText } from '../folding/own-text.ts';
import type { TimedEvent } from '../folding/timed-event.ts';

/** What runs beside each other; within one, runs come one after another (rule 3.6). */
export const lanes = ['data', 'log', 'copyOnly'] as const;
/** Runs that may not overlap each other: those of the chain, and copy-only ones. */
export type Lane = (typeof lanes)[number];

/** A due time that waits until a run is over. */
export interface WaitingTick {
  readonly cadence: Cadence;
  readonly nominal: string;
  readonly since: string;
  readonly reason: EventData<'schedule.delayed'>['reason'];
  readonly by: string;
}

/** What a schedule's own events say. Plain JSON; the same whoever folds it. */
export interface ScheduleState {
  /** Per cadence the newest nominal instant that was decided upon: fired, skipped or waiting. */
  readonly decided: Readonly<Partial<Record<Cadence, string>>>;
  /** Per cadence the newest nominal instant that became a run. */
  readonly lastFired: Readonly<Partial<Record<Cadence, string>>>;
  /** Nominal instant of the first run by the clock. */
  readonly firstFired?: string;
  readonly lastRun?: string;
  readonly lastSkip?: EventData<'schedule.skipped'>;
  /** At most one of each lane. */
  readonly waiting?: Readonly<Partial<Record<Lane, WaitingTick>>>;
  /** Runs by the clock since it was made or last resumed. */
  readonly runs?: number;
  readonly paused?: { readonly since: string; readonly reason?: string } | undefined;
}

export const initialSchedule: ScheduleState = { decided: {}, lastFired: {} };

export function laneOf(cadence: Cadence): Lane {
  return cadence === 'copyOnly' || cadence === 'log' ? cadence : 'data';
}

/** The schedule after one more of its own events; events of other aggregates leave it as it is. */
export function evolveSchedule(state: ScheduleState, event: TimedEvent): ScheduleState {
  switch (event.type) {
    case 'schedule.fired':
      return fired(state, event.data);
    case 'schedule.skipped': {
      const { cadence, nominal, until } = event.data;
      const last = until ?? nominal;
      const skipped = { ...state, decided: later(state.decided, cadence, last), lastSkip: event.data };
      const waiting = state.waiting?.[laneOf(cadence)];
      const isGone = waiting?.cadence === cadence && nominal <= waiting.nominal && waiting.nominal <= last;
      return isGone ? withoutWaiting(skipped, laneOf(cadence)) : skipped;
    }
    case 'schedule.delayed': {
      const { cadence, nominal, actual, reason, by } = event.data;
      const tick: WaitingTick = { cadence, nominal, since: actual, reason, by };
      return {
        ...state,
        decided: later(state.decided, cadence, nominal),
        waiting: { ...state.waiting, [laneOf(cadence)]: tick },
      };
    }
    case 'schedule.paused': {
      const { reason } = event.data;
      return {
        ...state,
        paused: { since: ownText(event.time), ...(reason === undefined ? {} : { reason }) },
      };
    }
    case 'schedule.resumed': {
      return { ...state, paused: undefined, runs: 0 };
    }
    default:
      return state;
  }
}

function fired(state: ScheduleState, data: EventData<'schedule.fired'>): ScheduleState {
  const { cadence, nominal, run, reason } = data;
  const next = { ...state, lastFired: later(state.lastFired, cadence, nominal), lastRun: run };
  // A run by hand stands for no due time, so it decides upon none.
  if (reason === 'runNow' || reason === 'backfill') return next;
  return withoutWaiting(
    {
      ...next,
      firstFired: state.firstFired ?? nominal,
      decided: later(state.decided, cadence, nominal),
      runs: (state.runs ?? 0) + 1,
    },
    laneOf(cadence),
  );
}

function withoutWaiting(state: ScheduleState, lane: Lane): ScheduleState {
  if (state.waiting?.[lane] === undefined) return state;
  const { [lane]: _gone, ...others } = state.waiting;
  return { ...state, waiting: others };
}

/** Instants have a fixed width, so text order is time order. */
function later(
  instants: ScheduleState['decided'],
  cadence: Cadence,
  instant: string,
): ScheduleState['decided'] {
  const known = instants[cadence];
  return known !== undefined && known >= instant ? instants : { ...instants, [cadence]: instant };
}
