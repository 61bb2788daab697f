import {
  CatenaError,
  type AnyRecordedEvent,
  type ScheduleDecisionView,
  type ScheduleStatusView,
} from '@catena/events';
import type { EventLog } from '@catena/event-log';
import { previewSchedules, scheduleStatus } from '@catena/schedule';
import { CLOCK, EVENT_LOG, instantOf, type Clock } from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { ScheduleBook, type BookedSchedule } from '../schedule-book/schedule-book.ts';

export interface StatusQuestion {
  readonly name?: string | undefined;
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
}

const DEFAULT_LIMIT = 100;
const DEFAULT_ROWS = 10;

/** How schedules stand, from what the scheduler itself goes by. */
@Injectable()
export class StatusService {
  constructor(
    @Inject(ScheduleBook) private readonly book: ScheduleBook,
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** By name; `after` is the last name of the page before. */
  async list({ name, limit = DEFAULT_LIMIT, after = '' }: StatusQuestion) {
    const sequence = await this.book.current();
    const names =
      name === undefined
        ? this.book
            .names()
            .filter((one) => one > after)
            .sort()
        : [name];
    const page = names.slice(0, limit);
    const items = page.flatMap((one) => {
      const booked = this.book.schedule(one);
      return booked ? [this.#view(booked)] : [];
    });
    const next = names.length > page.length ? page.at(-1) : undefined;
    return { items, sequence, ...(next === undefined ? {} : { next }) };
  }

  async describe({
    name,
    next = DEFAULT_ROWS,
    last = DEFAULT_ROWS,
  }: {
    name: string;
    next?: number | undefined;
    last?: number | undefined;
  }) {
    await this.book.current();
    const booked = this.book.schedule(name);
    const definition = this.book.definition('Schedule', name).state;
    if (!booked || !definition) {
      throw new CatenaError('schedule.unknown', `There is no schedule named ${name}.`, {
        remedy: 'catena get schedules lists them.',
      });
    }
    const { live } = booked;
    const rows = previewSchedules([live], instantOf(this.clock.now()), { count: next });
    return {
      status: this.#view(booked),
      generation: definition.generation,
      labels: definition.labels,
      spec: definition.spec,
      next: rows.map(({ cadence, at, local, note }) => ({ cadence, at, local, note })),
      last: await this.#decisions(live.uid, last),
    };
  }

  #view({ live, state, knowledge }: BookedSchedule): ScheduleStatusView {
    const outcomes = this.book.outcomesOf(live.uid);
    const open = this.book.openRunsOf(live.uid);
    const { source, repository, timeZone } = live.spec;
    return {
      id: live.uid,
      name: live.name,
      source,
      repository,
      timeZone,
      ...scheduleStatus(state, live, knowledge, outcomes, open),
      running: open.map(({ run }) => run),
      failures: outcomes.failures,
      ...(outcomes.last === undefined ? {} : { lastOutcome: outcomes.last }),
    };
  }

  /** The newest first. */
  async #decisions(uid: string, count: number): Promise<ScheduleDecisionView[]> {
    const newest: ScheduleDecisionView[] = [];
    for await (const event of this.eventLog.read({ aggregate: { type: 'schedule', id: uid } })) {
      newest.push(decisionOf(event));
      if (newest.length > count) newest.shift();
    }
    return newest.reverse();
  }
}

function decisionOf(event: AnyRecordedEvent): ScheduleDecisionView {
  const { sequence, time, actor, type } = event;
  const common = { sequence, at: time, actor, type };
  switch (event.type) {
    case 'schedule.fired': {
      const { cadence, nominal, reason, run } = event.data;
      return { ...common, cadence, nominal, reason, run };
    }
    case 'schedule.skipped': {
      const { cadence, nominal, reason, by, until, missed } = event.data;
      return { ...common, cadence, nominal, reason, by, until, count: missed };
    }
    case 'schedule.delayed': {
      const { cadence, nominal, reason, by } = event.data;
      return { ...common, cadence, nominal, reason, by };
    }
    case 'schedule.paused':
      return { ...common, reason: event.data.reason };
    default:
      return common;
  }
}
