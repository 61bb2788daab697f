import { isAbsolute } from 'node:path';
import {
  CatenaError,
  commandedRunId,
  domainEvent,
  type DefinitionKind,
  type RunRequest,
} from '@catena/events';
import { EMPTY_HEAD, isConcurrencyConflict, type EventLog } from '@catena/event-log';
import { appendDecided, CLOCK, EVENT_LOG, instantOf, Log, withLogFields, type Clock } from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { ScheduleBook } from '../schedule-book/schedule-book.ts';

export interface RunCommand {
  readonly commandId: string;
  readonly actor: string;
}

export type BackupWish = Omit<
  Extract<RunRequest, { kind: 'backup' }>,
  'kind' | 'repository' | 'whenNoFull' | 'into'
> & {
  readonly method?: 'read' | 'compose' | undefined;
  readonly repository?: string | undefined;
  readonly whenNoFull?: 'full' | 'fail' | undefined;
  readonly into?: string | undefined;
};

/** Runs that a person asks for by hand. */
@Injectable()
export class RunRequestService {
  constructor(
    @Inject(ScheduleBook) private readonly book: ScheduleBook,
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  async backup(command: RunCommand, wish: BackupWish): Promise<{ run: string; sequence: number }> {
    await this.book.current();
    this.#mustBeDefined('Source', wish.source);
    const repository = wish.repository ?? this.#onlyRepositoryOf(wish.source);
    this.#mustBeDefined('Repository', repository);
    const { source, type, copyOnly, whenNoFull, into } = wish;
    if (wish.method === 'compose') {
      mustBePlainFull(wish);
      return await this.#request(command, { kind: 'compose', source, repository, whenNoFull: 'fail' });
    }
    return await this.#request(command, {
      kind: 'backup',
      source,
      repository,
      type,
      copyOnly,
      ...(whenNoFull === undefined ? {} : { whenNoFull }),
      ...(into === undefined ? {} : { into }),
    });
  }

  async ask(
    command: RunCommand,
    request: Exclude<RunRequest, { kind: 'backup' | 'compose' }>,
  ): Promise<{ run: string; sequence: number }> {
    await this.book.current();
    this.#mustBeDefined('Repository', request.repository);
    if (request.kind === 'restore' && request.parts === undefined && !isAbsolute(request.target)) {
      throw new CatenaError(
        'restore.target-not-absolute',
        `The target "${request.target}" is not absolute.`,
        {
          remedy: 'Name the whole path: the restore happens where the mover runs.',
        },
      );
    }
    return await this.#request(command, request);
  }

  /** One command gives one run, however often it is sent. */
  async #request(command: RunCommand, request: RunRequest): Promise<{ run: string; sequence: number }> {
    const run = commandedRunId(command.commandId);
    const aggregate = { type: 'run', id: run } as const;
    try {
      const { sequence } = await appendDecided(
        this.eventLog,
        [domainEvent('run.requested', run, { request })],
        [{ aggregate, head: EMPTY_HEAD }],
        {
          time: instantOf(this.clock.now()),
          actor: command.actor,
          correlationId: run,
          causationId: command.commandId,
        },
      );
      withLogFields({ run }, () => this.log.info('a run was asked for', { actor: command.actor, request }));
      return { run, sequence };
    } catch (error) {
      if (!isConcurrencyConflict(error)) throw error;
      return { run, sequence: (await this.eventLog.head(aggregate)).sequence };
    }
  }

  #mustBeDefined(kind: DefinitionKind, name: string): void {
    if (this.book.definition(kind, name).state?.deleted === false) return;
    throw new CatenaError('definition.unknown', `There is no ${kind} named ${name}.`, {
      remedy: `catena get ${kind.toLowerCase()} lists what is defined.`,
    });
  }

  #onlyRepositoryOf(source: string): string {
    const [only, ...more] = this.book.repositoriesOf(source);
    if (only !== undefined && more.length === 0) return only;
    throw new CatenaError(
      'backup.repository-unclear',
      only === undefined
        ? `No schedule backs up ${source}, so the repository is not clear.`
        : `Schedules back up ${source} into several repositories: ${[only, ...more].join(', ')}.`,
      { remedy: 'Name the repository.' },
    );
  }
}

/** Only what begins a chain can be composed. */
function mustBePlainFull({ type, copyOnly, into }: BackupWish): void {
  if (type === 'full' && !copyOnly && into === undefined) return;
  throw new CatenaError(
    'backup.only-fulls-are-composed',
    `A ${copyOnly ? 'copy-only ' : ''}${type}${into === undefined ? '' : ' that joins a chain'} cannot be composed.`,
    { remedy: 'Leave the method out, or ask for a full without copyOnly and into.' },
  );
}
