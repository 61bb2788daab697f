import { CatenaError, commandedRunId, type AnyDomainEvent, type Cadence } from '@catena/events';
import type { EventLog } from '@catena/event-log';
import {
  backfillSchedule,
  pauseSchedule,
  resumeSchedule,
  runScheduleNow,
  type Backfill,
  type BackfillRow,
} from '@catena/schedule';
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
import { ScheduleBook, type BookedSchedule } from '../schedule-book/schedule-book.ts';

export interface ScheduleCommand {
  readonly commandId: string;
  readonly actor: string;
  readonly schedule: string;
}

export interface Changed {
  readonly changed: boolean;
  readonly sequence: number;
}

export interface BackfillAnswer {
  readonly rows: BackfillRow[];
  readonly count: number;
  readonly runs: string[];
  readonly sequence: number;
}

/** What people do to schedules. */
@Injectable()
export class ScheduleService {
  constructor(
    @Inject(ScheduleBook) private readonly book: ScheduleBook,
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  async pause(command: ScheduleCommand & { readonly reason?: string | undefined }): Promise<Changed> {
    return await this.#decide(command, ({ state, live }) => pauseSchedule(state, live, command.reason));
  }

  async resume(command: ScheduleCommand): Promise<Changed> {
    return await this.#decide(command, ({ state, live, knowledge }, now) =>
      resumeSchedule(state, live, knowledge, now),
    );
  }

  /** Runs one cadence now. The same command again is the same run. */
  async run(
    command: ScheduleCommand & { readonly cadence?: Cadence | undefined },
  ): Promise<{ run: string; sequence: number }> {
    const run = commandedRunId(command.commandId);
    return await untilNoConflict(async () => {
      const { sequence: known } = await this.eventLog.head({ type: 'run', id: run });
      if (known > 0) return { run, sequence: known };
      const { sequence } = await this.#decideOnce(
        command,
        ({ state, live }, now) => runScheduleNow(state, live, { run, cadence: command.cadence }, now),
        run,
      );
      return { run, sequence };
    });
  }

  /** Makes up for past times; the same command again is the same runs. */
  async backfill(
    command: ScheduleCommand & Omit<Backfill, 'id'> & { readonly dryRun: boolean },
  ): Promise<BackfillAnswer> {
    const { from, to, cadence, commandId, dryRun } = command;
    return await untilNoConflict(async () => {
      let answer: Omit<BackfillAnswer, 'sequence'> = { rows: [], count: 0, runs: [] };
      let known = dryRun;
      const decide = ({ state, live }: BookedSchedule, now: string) => {
        const { rows, count, events } = backfillSchedule(
          state,
          live,
          { id: commandId, from, to, cadence },
          now,
        );
        const runs = events
          .filter(({ type }) => type === 'run.requested')
          .map(({ aggregateId }) => aggregateId);
        answer = { rows, count, runs };
        return known ? [] : events;
      };
      decide(await this.#booked(command.schedule), instantOf(this.clock.now()));
      for (const id of answer.runs) known ||= (await this.eventLog.head({ type: 'run', id })).sequence > 0;
      const { sequence } = await this.#decideOnce(command, decide);
      return { ...answer, sequence };
    });
  }

  #decide(
    command: ScheduleCommand,
    decide: (booked: BookedSchedule, now: string) => AnyDomainEvent[],
  ): Promise<Changed> {
    return untilNoConflict(() => this.#decideOnce(command, decide));
  }

  async #booked(name: string): Promise<BookedSchedule> {
    await this.book.current();
    const booked = this.book.schedule(name);
    if (booked !== undefined) return booked;
    throw new CatenaError('schedule.unknown', `There is no schedule named ${name}.`, {
      remedy: 'catena get schedules lists them.',
    });
  }

  async #decideOnce(
    command: ScheduleCommand,
    decide: (booked: BookedSchedule, now: string) => AnyDomainEvent[],
    correlationId = command.commandId,
  ): Promise<Changed> {
    const seen = await this.book.current();
    const booked = await this.#booked(command.schedule);
    const now = instantOf(this.clock.now());
    const events = decide(booked, now);
    if (events.length === 0) return { changed: false, sequence: seen };
    const { sequence } = await appendDecided(
      this.eventLog,
      events,
      [{ aggregate: { type: 'schedule', id: booked.live.uid }, head: booked.head }],
      { time: now, actor: command.actor, correlationId, causationId: command.commandId },
    );
    this.log.info('a schedule was told', {
      schedule: command.schedule,
      actor: command.actor,
      events: events.map(({ type }) => type),
    });
    return { changed: true, sequence };
  }
}
