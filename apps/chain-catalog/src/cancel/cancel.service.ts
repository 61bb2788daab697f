import { cancelSubject, errorFromDescription } from '@catena/events';
import { dropPlan, type CollectionState } from '@catena/chain';
import type { EventLog, Messages } from '@catena/event-log';
import { requestCancel, type RunState } from '@catena/run';
import {
  appendDecided,
  CLOCK,
  EVENT_LOG,
  instantOf,
  Log,
  MESSAGES,
  untilNoConflict,
  type Clock,
  type Loaded,
} from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { Histories } from '../history/histories.ts';

export interface CancelCommand {
  readonly commandId: string;
  readonly actor: string;
  readonly run: string;
  readonly reason?: string | undefined;
}

/** Stops runs that are not over: at once when nobody works on them, else through their mover. */
@Injectable()
export class CancelService {
  constructor(
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(MESSAGES) private readonly messages: Messages,
    @Inject(Histories) private readonly histories: Histories,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  async cancel(command: CancelCommand): Promise<{ changed: boolean; sequence: number }> {
    return await untilNoConflict(async () => {
      const loaded = await this.histories.runs.load(command.run);
      const decision = requestCancel(loaded.state, command.reason);
      if (!decision.accepted) throw errorFromDescription(decision.refusal);
      if (decision.events.length === 0) return { changed: false, sequence: loaded.head.sequence };
      const isOverNow = decision.events.some(({ type }) => type === 'run.cancelled');
      const collection = isOverNow ? await this.#collectionOf(loaded.state) : undefined;
      const dropped = collection === undefined ? [] : dropPlan(collection.state, command.run, 'cancelled');
      const { sequence } = await appendDecided(
        this.eventLog,
        [...decision.events, ...dropped],
        [
          { aggregate: { type: 'run', id: command.run }, head: loaded.head },
          ...(collection === undefined
            ? []
            : [
                {
                  aggregate: { type: 'collection' as const, id: collection.state.collection },
                  head: collection.head,
                },
              ]),
        ],
        {
          time: instantOf(this.clock.now()),
          actor: command.actor,
          correlationId: command.run,
          causationId: command.commandId,
        },
      );
      this.messages.notify(cancelSubject(command.run), { run: command.run });
      this.log.info('a cancel was recorded', { atOnce: isOverNow, actor: command.actor });
      return { changed: true, sequence };
    });
  }

  async #collectionOf({ plan }: RunState): Promise<Loaded<CollectionState> | undefined> {
    return plan?.kind === 'backup' || plan?.kind === 'compose'
      ? await this.histories.collections.load(plan.collection)
      : undefined;
  }
}
