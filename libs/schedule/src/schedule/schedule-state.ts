import type { Cadence, EventData } from '@catena/events';
import type { TimedEvent } from '../folding/timed-event.ts';

/** What a schedule's own events say. Plain JSON; the same whoever folds it. */
export interface ScheduleState {
  /** Per cadence the newest nominal instant that was decided upon: fired or skipped. */
  readonly decided: Readonly<Partial<Record<Cadence, string>>>;
  /** Per cadence the newest nominal instant that became a run. */
  readonly lastFired: Readonly<Partial<Record<Cadence, string>>>;
  readonly lastRun?: string;
  readonly lastSkip?: EventData<'schedule.skipped'>;
  readonly paused?: { readonly since: string; readonly reason?: string } | undefined;
}

export const initialSchedule: ScheduleState = { decided: {}, lastFired: {} };

/** The schedule after one more of its own events; events of other aggregates leave it as it is. */
export function evolveSchedule(state: ScheduleState, event: TimedEvent): ScheduleState {
  switch (event.type) {
    case 'schedule.fired': {
      const { cadence, nominal, run, reason } = event.data;
      return {
        ...state,
        // A run by hand stands for no due time, so it decides upon none.
        decided: reason === 'runNow' ? state.decided : later(state.decided, cadence, nominal),
        lastFired: later(state.lastFired, cadence, nominal),
        lastRun: run,
      };
    }
    case 'schedule.skipped': {
      const { cadence, nominal, until } = event.data;
      return { ...state, decided: later(state.decided, cadence, until ?? nominal), lastSkip: event.data };
    }
    case 'schedule.paused': {
      const { reason } = event.data;
      return { ...state, paused: { since: event.time, ...(reason === undefined ? {} : { reason }) } };
    }
    case 'schedule.resumed': {
      return { ...state, paused: undefined };
    }
    default:
      return state;
  }
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
