import { CatenaError, errorFromDescription } from '@catena/events';
import { pinBackup, undoExpiry, unpinBackup, type CollectionState } from '@catena/chain';
import type { EventLog } from '@catena/event-log';
import type { Decision } from '@catena/run';
import {
  appendDecided,
  CLOCK,
  EVENT_LOG,
  instantOf,
  Log,
  untilNoConflict,
  type Clock,
} from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { Histories } from '../history/histories.ts';

interface BackupCommand {
  readonly commandId: string;
  readonly actor: string;
  readonly backup: string;
}

export interface KeepCommand extends BackupCommand {
  readonly reason?: string | undefined;
}

export interface Recorded {
  readonly changed: boolean;
  readonly sequence: number;
}

/** What a person decides about a backup, whatever its policy says. */
@Injectable()
export class KeepService {
  constructor(
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(Histories) private readonly histories: Histories,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  /** Pins it; one that has expired is taken back first, within its grace. */
  async keep(command: KeepCommand): Promise<Recorded & { undone: boolean }> {
    let undone = false;
    const recorded = await this.#record(command, (state) => {
      undone = state.expired.has(command.backup);
      return undone
        ? undoExpiry(state, command.backup, instantOf(this.clock.now()))
        : pinBackup(state, command.backup, command.reason);
    });
    return { ...recorded, undone };
  }

  /** The policy decides again. */
  async unkeep(command: BackupCommand): Promise<Recorded> {
    return await this.#record(command, (state) => unpinBackup(state, command.backup));
  }

  async #record(command: BackupCommand, decide: (state: CollectionState) => Decision): Promise<Recorded> {
    const collection = await this.#collectionOf(command.backup);
    return await untilNoConflict(async () => {
      const { state, head } = await this.histories.collections.load(collection);
      const decision = decide(state);
      if (!decision.accepted) throw errorFromDescription(decision.refusal);
      if (decision.events.length === 0) return { changed: false, sequence: head.sequence };
      const { sequence } = await appendDecided(
        this.eventLog,
        decision.events,
        [{ aggregate: { type: 'collection', id: collection }, head }],
        {
          time: instantOf(this.clock.now()),
          actor: command.actor,
          correlationId: command.commandId,
          causationId: command.commandId,
        },
      );
      const what = decision.events.map(({ type }) => type);
      this.log.info('a person decided about a backup', {
        backup: command.backup,
        what,
        actor: command.actor,
      });
      return { changed: true, sequence };
    });
  }

  async #collectionOf(backup: string): Promise<string> {
    for await (const event of this.eventLog.read({ aggregate: { type: 'backup', id: backup } }))
      if (event.type === 'backup.completed' || event.type === 'backup.found') return event.data.collection;
    throw new CatenaError('chain.backup-unknown', `There is no backup ${backup}.`, {
      remedy: 'catena backups lists them.',
    });
  }
}
