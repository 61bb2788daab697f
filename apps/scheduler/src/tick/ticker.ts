import { setImmediate } from 'node:timers/promises';
import type { AnyDomainEvent, EventContext } from '@catena/events';
import type { AggregateHead, EventLog } from '@catena/event-log';
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
import { ScheduleBook } from '../schedule-book/schedule-book.ts';
import { DueQueue } from './due-queue.ts';
import { Turn } from './turn.ts';

/** Longest sleep: a clock that was set, or a machine that slept, is noticed after this. */
const LONGEST_SLEEP_MILLISECONDS = 5_000;
const AFTER_FAILURE_MILLISECONDS = 1_000;
/** What whoever has the turn has not fired after this is fired by the others. */
const STAND_IN_MILLISECONDS = 2_000;
/** An append holds at most a thousand messages; most schedules need two. */
const SCHEDULES_PER_APPEND = 100;
/** Appends of different schedules need not wait for each other. */
const SCHEDULES_AT_ONCE = 2_000;
const EVENTS_PER_APPEND = 900;

/**
 * Turns due times into runs. Any number of schedulers tick at once: each append expects the schedule where it was and
 * nothing on the run, so one wins and the others find it done (rule 3.8).
 */
@Injectable()
export class Ticker implements OnApplicationBootstrap {
  readonly #queue = new DueQueue();
  #ticking: Promise<unknown> = Promise.resolve();

  constructor(
    @Inject(ScheduleBook) private readonly book: ScheduleBook,
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(Turn) private readonly turn: Turn,
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
        await this.book.caughtUp(signal);
        while (!signal.aborted) {
          wake = new AbortController();
          const grace = this.turn.isOurs() ? 0 : STAND_IN_MILLISECONDS;
          const next = await this.tick(grace);
          healthy();
          await pause(this.#sleepUntil(next + grace), AbortSignal.any([signal, wake.signal]));
        }
      } finally {
        changes.stop();
      }
    });
  }

  /**
   * Fires what is due now, or what has been for so many milliseconds; answers when something will be, in milliseconds
   * since 1970.
   */
  async tick(grace = 0): Promise<number> {
    const turn = this.#ticking.then(() => this.#fireDue(grace));
    this.#ticking = turn.catch(() => undefined);
    return await turn;
  }

  async #fireDue(grace: number): Promise<number> {
    this.#takeChanges();
    const now = this.clock.now();
    for (;;) {
      const names = this.#queue.takeDue(now - grace, SCHEDULES_AT_ONCE);
      if (names.length === 0) return this.#queue.next();
      await this.book.current();
      const chunks = Array.from({ length: Math.ceil(names.length / SCHEDULES_PER_APPEND) }, (_, index) =>
        names.slice(index * SCHEDULES_PER_APPEND, (index + 1) * SCHEDULES_PER_APPEND),
      );
      const failed = await Promise.all(
        chunks.map(async (chunk, index) => {
          // What was decided goes out before the next is decided upon: otherwise the first would wait for the last.
          for (let before = 0; before < index; before += 1) await setImmediate();
          return await this.#fireAll(chunk);
        }),
      );
      await this.book.current();
      for (const name of failed.flat()) this.#queue.set(name, now + AFTER_FAILURE_MILLISECONDS);
      this.#takeChanges();
    }
  }

  #sleepUntil(next: number): number {
    return Math.min(Math.max(0, next - this.clock.now()), LONGEST_SLEEP_MILLISECONDS);
  }

  /** Asking a calendar costs, so it is asked only of schedules of which something changed. */
  #takeChanges(): void {
    for (const name of this.book.takeChanged()) {
      const booked = this.book.schedule(name);
      const instant = booked && nextDueInstant(booked.state, booked.live, booked.knowledge);
      this.#queue.set(name, instant === undefined ? undefined : Date.parse(instant));
    }
  }

  /** Fires schedules together, and one by one when somebody else was faster with one of them. Answers what failed. */
  async #fireAll(names: readonly string[]): Promise<string[]> {
    try {
      const left = await this.#decideAndAppend(names);
      return left.length === 0 ? [] : await this.#fireAll(left);
    } catch (error) {
      if (names.length === 1) return (await this.#fire(names[0] ?? '')) ? [] : [...names];
      this.log.debug('schedules could not fire together and are tried one by one', { error });
    }
    const failed: string[] = [];
    for (const name of names) if (!(await this.#fire(name))) failed.push(name);
    return failed;
  }

  /** One schedule's trouble is not the others'. False when it failed. */
  async #fire(name: string): Promise<boolean> {
    try {
      await untilNoConflict(async () => {
        await this.book.current();
        return await this.#decideAndAppend([name]);
      });
      return true;
    } catch (error) {
      this.log.error('a schedule could not fire and is tried again', { schedule: name, error });
      return false;
    }
  }

  /** Appends the decisions of as many schedules as fit into one append; answers the others. */
  async #decideAndAppend(names: readonly string[]): Promise<readonly string[]> {
    const now = instantOf(this.clock.now());
    const events: AnyDomainEvent[] = [];
    const heads = new Map<string, AggregateHead>();
    let taken = 0;
    for (const name of names) {
      const booked = this.book.schedule(name);
      const decided = booked ? decideTick(booked.state, booked.live, booked.knowledge, now) : [];
      if (taken > 0 && events.length + decided.length > EVENTS_PER_APPEND) break;
      taken += 1;
      if (!booked) continue;
      if (decided.length === 0) {
        // What looked due is not, by what was read meanwhile: its time is asked for again.
        const next = nextDueInstant(booked.state, booked.live, booked.knowledge);
        this.#queue.set(name, next === undefined ? undefined : Date.parse(next));
        continue;
      }
      events.push(...decided);
      heads.set(booked.live.uid, booked.head);
    }
    if (events.length > 0) await this.#append(events, heads, now);
    return names.slice(taken);
  }

  async #append(
    events: readonly AnyDomainEvent[],
    heads: ReadonlyMap<string, AggregateHead>,
    now: string,
  ): Promise<void> {
    crashPoint('scheduler.before-fire');
    const { repeated } = await appendDecided(
      this.eventLog,
      events,
      [...heads].map(([id, head]) => ({ aggregate: { type: 'schedule', id }, head })),
      (event) => this.#contextOf(event, heads, now),
    );
    crashPoint('scheduler.after-fire');
    if (repeated) return;
    for (const { type, data } of events)
      if (type === 'schedule.fired')
        withLogFields({ run: data.run }, () => this.log.info('fired', { ...data }));
      else if (type === 'schedule.skipped') this.log.info('skipped', { ...data });
      else if (type === 'schedule.delayed') this.log.info('delayed', { ...data });
      else if (type === 'schedule.paused') this.log.warn('paused itself', { ...data });
  }

  #contextOf(event: AnyDomainEvent, heads: ReadonlyMap<string, AggregateHead>, now: string): EventContext {
    const uid = event.type === 'run.requested' ? (event.data.scheduleUid ?? '') : event.aggregateId;
    const cause = `due/${uid}/${heads.get(uid)?.sequence ?? 0}`;
    const run =
      event.type === 'run.requested'
        ? event.aggregateId
        : event.type === 'schedule.fired'
          ? event.data.run
          : cause;
    return { time: now, actor: this.identity.actor, correlationId: run, causationId: cause };
  }
}
