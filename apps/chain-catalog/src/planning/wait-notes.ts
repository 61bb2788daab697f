import { domainEvent, type RunWait } from '@catena/events';
import { isConcurrencyConflict, type EventLog } from '@catena/event-log';
import {
  appendDecided,
  CLOCK,
  EVENT_LOG,
  instantOf,
  Log,
  ServiceIdentity,
  type Clock,
} from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import type { OpenRun } from '../log-view/log-view.ts';

/** A run that cannot begin, and why. */
export interface Held {
  readonly one: OpenRun;
  readonly wait: RunWait;
}

const RUNS_PER_APPEND = 200;

/** Says why runs wait, once for each reason. */
@Injectable()
export class WaitNotes {
  constructor(
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(ServiceIdentity) private readonly identity: ServiceIdentity,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  async say(held: readonly Held[]): Promise<void> {
    const news = held.filter(({ one, wait }) => !isSaid(one.state.waiting, wait));
    for (let start = 0; start < news.length; start += RUNS_PER_APPEND)
      await this.#append(news.slice(start, start + RUNS_PER_APPEND));
  }

  async #append(held: readonly Held[]): Promise<void> {
    const heads = new Map(held.map(({ one }) => [one.state.run, one.head]));
    try {
      await appendDecided(
        this.eventLog,
        held.map(({ one, wait }) => domainEvent('run.waiting', one.state.run, wait)),
        [...heads].map(([id, head]) => ({ aggregate: { type: 'run', id }, head })),
        ({ aggregateId }) => ({
          time: instantOf(this.clock.now()),
          actor: this.identity.actor,
          correlationId: aggregateId,
          causationId: `wait/${aggregateId}/${heads.get(aggregateId)?.sequence}`,
        }),
      );
    } catch (error) {
      if (!isConcurrencyConflict(error)) throw error;
      // Something happened to one of them meanwhile, or another catalog said it; the next look says what is left.
      this.log.debug('not said that runs wait', { error });
    }
  }
}

/** Who is in the way may change; that it is the same thing that they wait for is enough. */
function isSaid(said: RunWait | undefined, { reason, of, limit }: RunWait): boolean {
  return said !== undefined && said.reason === reason && said.of === of && said.limit === limit;
}
