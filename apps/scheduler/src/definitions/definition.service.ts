import { definitionId, digestId, type DefinitionKind } from '@catena/events';
import type { EventLog } from '@catena/event-log';
import {
  applyDefinition,
  DefinitionsRefusedError,
  deleteDefinition,
  describeProblem,
  parseDefinitions,
  type AppliedDefinition,
  type Definition,
  type DefinitionFile,
  type DefinitionState,
} from '@catena/schedule';
import {
  appendDecided,
  CLOCK,
  crashPoint,
  EVENT_LOG,
  instantOf,
  Log,
  untilNoConflict,
  type Clock,
  type ExpectedHead,
} from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { ScheduleBook } from '../schedule-book/schedule-book.ts';

interface Command {
  readonly commandId: string;
  readonly actor: string;
}

export interface ApplyCommand extends Command {
  readonly files: readonly DefinitionFile[];
  readonly dryRun?: boolean | undefined;
  /** The folder that the files are all of: what is managed by it and gone from it is deleted. */
  readonly prune?: string | undefined;
}

export interface DeleteCommand extends Command {
  readonly kind: DefinitionKind;
  readonly name: string;
}

export interface ApplyResult {
  readonly results: {
    kind: DefinitionKind;
    name: string;
    uid: string;
    action: AppliedDefinition['action'] | 'deleted';
  }[];
  readonly warnings: string[];
  readonly sequence: number;
}

/** Definitions in and out of the log. */
@Injectable()
export class DefinitionService {
  constructor(
    @Inject(ScheduleBook) private readonly book: ScheduleBook,
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  /**
   * Applies files whole, in one append, or nothing of them.
   * @throws DefinitionsRefusedError naming everything that is wrong with file, line and column.
   */
  async apply(command: ApplyCommand): Promise<ApplyResult> {
    return await untilNoConflict(async () => {
      const seen = await this.book.current();
      const { prune } = command;
      const there = this.book.definitions();
      const kept = prune === undefined ? there : there.filter(({ managedBy }) => managedBy !== prune);
      const parsed = parseDefinitions(command.files, kept);
      if (!parsed.ok) throw new DefinitionsRefusedError(parsed.problems);
      const applied = parsed.definitions.map((definition) => this.#applied(command, definition));
      const deleted = this.#pruned(prune, parsed.definitions, kept);
      const results: ApplyResult['results'] = applied.map(({ definition: { kind, name }, uid, action }) => ({
        kind,
        name,
        uid,
        action,
      }));
      for (const { state } of deleted) {
        results.push({ kind: state.kind, name: state.name, uid: state.uid, action: 'deleted' });
      }
      const warnings = parsed.warnings.map(describeProblem);
      const events = [...applied, ...deleted].flatMap((one) => one.events);
      if (command.dryRun || events.length === 0) return { results, warnings, sequence: seen };
      crashPoint('scheduler.before-apply');
      const { sequence } = await appendDecided(
        this.eventLog,
        events,
        [...applied, ...deleted].map(({ expected }) => expected),
        this.#contextOf(command),
      );
      crashPoint('scheduler.after-apply');
      const changed = results.filter(({ action }) => action !== 'unchanged');
      this.log.info('definitions applied', { actor: command.actor, changed });
      return { results, warnings, sequence };
    });
  }

  /** Deleting what is not there changes nothing; backups are never touched. */
  async delete(command: DeleteCommand): Promise<{ deleted: boolean; sequence: number }> {
    return await untilNoConflict(async () => {
      const seen = await this.book.current();
      const { kind, name } = command;
      const { state, head } = this.book.definition(kind, name);
      const events = deleteDefinition(state, this.book.definitions());
      if (events.length === 0) return { deleted: false, sequence: seen };
      const aggregate = { type: 'definition', id: definitionId(kind, name) } as const;
      const { sequence } = await appendDecided(
        this.eventLog,
        events,
        [{ aggregate, head }],
        this.#contextOf(command),
      );
      this.log.info('definition deleted', { actor: command.actor, kind, name });
      return { deleted: true, sequence };
    });
  }

  /** What a folder brought before and has no longer. @throws DefinitionInUseError when something else names it. */
  #pruned(folder: string | undefined, files: readonly Definition[], kept: readonly DefinitionState[]) {
    if (folder === undefined) return [];
    const inFiles = new Set(files.map(({ kind, name }) => definitionId(kind, name)));
    return this.book.definitions().flatMap((state) => {
      const id = definitionId(state.kind, state.name);
      if (state.managedBy !== folder || inFiles.has(id)) return [];
      const { head } = this.book.definition(state.kind, state.name);
      const expected: ExpectedHead = { aggregate: { type: 'definition', id }, head };
      return [{ state, expected, events: deleteDefinition(state, [...kept, ...files]) }];
    });
  }

  /** The uid depends on the command, so that a command that is sent again makes nothing twice. */
  #applied(command: ApplyCommand, definition: Definition) {
    const { kind, name } = definition;
    const { state, head } = this.book.definition(kind, name);
    const uid = `${kind.slice(0, 3).toLowerCase()}-${digestId('definition', command.commandId, kind, name)}`;
    const expected: ExpectedHead = {
      aggregate: { type: 'definition', id: definitionId(kind, name) },
      head,
    };
    return { definition, expected, ...applyDefinition(state, definition, uid, command.prune) };
  }

  #contextOf({ commandId, actor }: Command) {
    const time = instantOf(this.clock.now());
    return { time, actor, correlationId: commandId, causationId: commandId };
  }
}
