import type { AnyDomainEvent } from '@catena/events';
import type { EventLog } from '@catena/event-log';
import { evolveRun, initialRun, type RunState } from '@catena/run';
import {
  AggregateCache,
  appendDecided,
  CLOCK,
  EVENT_LOG,
  instantOf,
  ServiceIdentity,
  type Clock,
  type Loaded,
} from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';

/** Runs as the log has them, and what a mover adds to them. */
@Injectable()
export class RunLog {
  readonly #log: EventLog;
  readonly #runs: AggregateCache<RunState>;
  readonly #identity: ServiceIdentity;
  readonly #clock: Clock;

  constructor(
    @Inject(EVENT_LOG) log: EventLog,
    @Inject(ServiceIdentity) identity: ServiceIdentity,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.#log = log;
    this.#identity = identity;
    this.#clock = clock;
    this.#runs = new AggregateCache(
      log,
      {
        type: 'run',
        initial: initialRun,
        evolve: (state, events) => events.reduce<RunState>(evolveRun, state),
      },
      { size: 100 },
    );
  }

  load(run: string): Promise<Loaded<RunState>> {
    return this.#runs.load(run);
  }

  /**
   * Appends to the run as it was loaded. The cause names this mover: two movers that claim the same attempt must not
   * be taken for one whose append was repeated.
   */
  async append(loaded: Loaded<RunState>, events: readonly AnyDomainEvent[], cause: string): Promise<void> {
    const { run } = loaded.state;
    await appendDecided(this.#log, events, [{ aggregate: { type: 'run', id: run }, head: loaded.head }], {
      time: instantOf(this.#clock.now()),
      actor: this.#identity.actor,
      correlationId: run,
      causationId: `${this.#identity.actor}/${run}/${cause}`,
    });
  }
}
