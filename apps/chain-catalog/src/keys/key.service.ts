import { CatenaError, domainEvent } from '@catena/events';
import type { EventLog } from '@catena/event-log';
import { appendDecided, CLOCK, EVENT_LOG, instantOf, untilNoConflict, type Clock } from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { Histories } from '../history/histories.ts';
import { LogView } from '../log-view/log-view.ts';

export interface KeyExported {
  readonly commandId: string;
  readonly actor: string;
  readonly repository: string;
  readonly keyId: string;
}

/** Remembers which generated keys a person has stored elsewhere. */
@Injectable()
export class KeyService {
  constructor(
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(Histories) private readonly histories: Histories,
    @Inject(LogView) private readonly view: LogView,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Recording it twice appends nothing. */
  async exported(command: KeyExported): Promise<{ changed: boolean; sequence: number }> {
    await this.view.current();
    const { repository, keyId } = command;
    const definition = this.view.definition('Repository', repository);
    if (definition === undefined) {
      throw new CatenaError('catalog.repository-unknown', `There is no repository named ${repository}.`, {
        remedy: 'catena get repositories lists them.',
      });
    }
    return await untilNoConflict(async () => {
      const { state, head } = await this.histories.repositories.load(definition.uid);
      const key = state.keys.get(keyId);
      if (key === undefined) {
        throw new CatenaError('catalog.key-unknown', `${repository} has no generated key ${keyId}.`, {
          remedy: 'catena status names the generated keys that are stored nowhere else.',
        });
      }
      if (key.exported) return { changed: false, sequence: head.sequence };
      const { sequence } = await appendDecided(
        this.eventLog,
        [domainEvent('repository.key-exported', definition.uid, { repository, keyId })],
        [{ aggregate: { type: 'repository', id: definition.uid }, head }],
        {
          time: instantOf(this.clock.now()),
          actor: command.actor,
          correlationId: command.commandId,
          causationId: command.commandId,
        },
      );
      return { changed: true, sequence };
    });
  }
}
