import { CatenaError, collectionIdOf, type DefinitionKind } from '@catena/events';
import { acceptFamily } from '@catena/chain';
import type { EventLog } from '@catena/event-log';
import { appendDecided, CLOCK, EVENT_LOG, instantOf, untilNoConflict, type Clock } from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { Histories } from '../history/histories.ts';
import { LogView } from '../log-view/log-view.ts';

export interface AcceptFamily {
  readonly commandId: string;
  readonly actor: string;
  readonly source: string;
  readonly repository: string;
  readonly family: string;
}

/** Takes a person's word that another thing at a source's address goes on in its collection (rules.md section 1). */
@Injectable()
export class FamilyService {
  constructor(
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(Histories) private readonly histories: Histories,
    @Inject(LogView) private readonly view: LogView,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Saying it twice appends nothing. */
  async accept(command: AcceptFamily): Promise<{ changed: boolean; sequence: number }> {
    await this.view.current();
    const { source, repository, family } = command;
    const collection = collectionIdOf(this.#uidOf('Source', source), this.#uidOf('Repository', repository));
    return await untilNoConflict(async () => {
      const { state, head } = await this.histories.collections.load(collection);
      if (state.place === undefined) {
        throw new CatenaError(
          'catalog.nothing-to-accept',
          `${source} was never backed up to ${repository}.`,
          {
            remedy: 'Back it up; there is no chain that it could differ from.',
          },
        );
      }
      const events = acceptFamily(state, family);
      if (events.length === 0) return { changed: false, sequence: head.sequence };
      const { sequence } = await appendDecided(
        this.eventLog,
        events,
        [{ aggregate: { type: 'collection', id: collection }, head }],
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

  #uidOf(kind: DefinitionKind, name: string): string {
    const definition = this.view.definition(kind, name);
    if (definition !== undefined) return definition.uid;
    const plural = kind === 'Source' ? 'sources' : 'repositories';
    throw new CatenaError('definition.unknown', `There is no ${kind} named ${name}.`, {
      remedy: `catena get ${plural} lists them.`,
    });
  }
}
