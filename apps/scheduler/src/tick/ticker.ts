import type { AnyDomainEvent, EventContext } from '@catena/events';
import type { EventLog } from '@catena/event-log';
import { decideTick, nextDueInstant } from '@catena/schedule';
import {
  appendDecided,
  BackgroundWork,
  CLOCK,
  crashPoint,
  EVENT_LOG,
  instantOf,
  Log,
  pause,
  ServiceIdentity,
  untilNoConflict,
  withLogFields,
  type Clock,
} from '@catena/service';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ScheduleBook, type BookedSchedule } from '../schedule-book/schedule-book.ts';

/** Longest sleep: a clock that was set, or a machine that slept, is noticed after this. */
const LONGEST_SLEEP_MILLISECONDS = 5_000;
const AFTER_FAILURE_MILLISECONDS = 1_000;

/**
 * Turns due times into runs. Any number of schedulers tick at once: each append expects the schedule where it was and
 * nothing on the run, so one wins and the others find it done (rule 3.8).
 */
@Injectable()
export class Ticker implements OnApplicationBootstrap {
  readonly #dueAt = new Map<string, { booked: BookedSchedule; due: number | undefined }>();

  constructor(
    @Inject(ScheduleBook) private readonly book: ScheduleBook,
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(ServiceIdentity) private readonly identity: ServiceIdentity,
    @Inject(BackgroundWork) private readonly work: BackgroundWork,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.work.start('ticks', async (signal, healthy) => {
      let wake = new AbortController();
      const changes = this.book.onChange(() => wake.abort());
      try {
        await this.book.current();
        while (!signal.aborted) {
          wake = new AbortController();
          const next = await this.tick();
          healthy();
          await pause(this.#sleepUntil(next), AbortSignal.any([signal, wake.signal]));
        }
      } finally {
        changes.stop();
      }
    });
  }

  /** Fires what is due now; answers when to look again, in milliseconds since 1970. */
  async tick(): Promise<number> {
    const now = this.clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const booked of this.book.schedules()) {
      const due = this.#due(booked);
      if (due === undefined) continue;
      if (due > now) next = Math.min(next, due);
      else
        next = Math.min(next, (await this.#fire(booked.live.name)) ? now : now + AFTER_FAILURE_MILLISECONDS);
    }
    return next;
  }

  #sleepUntil(next: number): number {
    return Math.min(Math.max(0, next - this.clock.now()), LONGEST_SLEEP_MILLISECONDS);
  }

  /** Asking a calendar costs; the answer stands until something of the schedule changes. */
  #due(booked: BookedSchedule): number | undefined {
    const { live, state, knowledge } = booked;
    const known = this.#dueAt.get(live.uid);
    if (
      known?.booked.live === live &&
      known.booked.state === state &&
      known.booked.knowledge.usableFull === knowledge.usableFull &&
      known.booked.knowledge.firstFull === knowledge.firstFull
    ) {
      return known.due;
    }
    const instant = nextDueInstant(state, live, knowledge);
    const due = instant === undefined ? undefined : Date.parse(instant);
    this.#dueAt.set(live.uid, { booked, due });
    return due;
  }

  /** One schedule's trouble is not the others'. False when it failed. */
  async #fire(name: string): Promise<boolean> {
    try {
      await untilNoConflict(() => this.#decideAndAppend(name));
      return true;
    } catch (error) {
      this.log.error('a schedule could not fire and is tried again', { schedule: name, error });
      return false;
    }
  }

  async #decideAndAppend(name: string): Promise<void> {
    await this.book.current();
    const booked = this.book.schedule(name);
    if (booked === undefined) return;
    const { live, state, knowledge, head } = booked;
    const now = instantOf(this.clock.now());
    const events = decideTick(state, live, knowledge, now);
    if (events.length === 0) return;
    crashPoint('scheduler.before-fire');
    const { repeated } = await appendDecided(
      this.eventLog,
      events,
      [{ aggregate: { type: 'schedule', id: live.uid }, head }],
      (event) => this.#contextOf(event, live.uid, head.sequence, now),
    );
    crashPoint('scheduler.after-fire');
    await this.book.current();
    if (repeated) return;
    for (const { type, data } of events)
      if (type === 'schedule.fired')
        withLogFields({ run: data.run }, () => this.log.info('fired', { ...data }));
      else if (type === 'schedule.skipped') this.log.info('skipped', { ...data });
  }

  #contextOf(event: AnyDomainEvent, uid: string, before: number, now: string): EventContext {
    const cause = `due/${uid}/${before}`;
    const run =
      event.type === 'run.requested'
        ? event.aggregateId
        : event.type === 'schedule.fired'
          ? event.data.run
          : cause;
    return { time: now, actor: this.identity.actor, correlationId: run, causationId: cause };
  }
}
