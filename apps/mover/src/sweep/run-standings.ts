import type { EventLog } from '@catena/event-log';
import { evolveRun, initialRun, isOver } from '@catena/run';
import type { RunStanding } from '@catena/vault';

/**
 * How runs stand by the log, at the time the log's server gave an event: clocks of movers have no say in what is removed.
 */
export class RunStandings {
  readonly #log: EventLog;
  readonly #now: number;
  readonly #grace: number;

  private constructor(log: EventLog, now: number, grace: number) {
    this.#log = log;
    this.#now = now;
    this.#grace = grace;
  }

  /**
   * @param run whose newest event says what time it is: that of the sweep itself
   * @param grace milliseconds for which a run must be over
   */
  static async asOf(log: EventLog, run: string, grace: number): Promise<RunStandings> {
    let now = 0;
    for await (const { recordedAt } of log.read({ aggregate: { type: 'run', id: run } }))
      now = Date.parse(recordedAt);
    return new RunStandings(log, now, grace);
  }

  async of(run: string): Promise<RunStanding> {
    let state = initialRun(run);
    let changed = 0;
    for await (const event of this.#log.read({ aggregate: { type: 'run', id: run } })) {
      state = evolveRun(state, event);
      changed = Date.parse(event.recordedAt);
    }
    if (state.phase === 'unknown') return 'unknown';
    if (!isOver(state)) return 'open';
    return this.#now - changed >= this.#grace ? 'over' : 'recent';
  }
}
