import { setImmediate } from 'node:timers/promises';
import type { AnyDomainEvent } from '@catena/events';
import type { EventLog, PreparedAppend } from '@catena/event-log';
import { nextDueInstant } from '@catena/schedule';
import {
  BackgroundWork,
  CLOCK,
  crashPoint,
  EVENT_LOG,
  instantOf,
  Log,
  pause,
  prepareDecided,
  ServiceIdentity,
  untilNoConflict,
  withLogFields,
  type Clock,
} from '@catena/service';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ScheduleBook } from '../schedule-book/schedule-book.ts';
import { DueQueue } from './due-queue.ts';
import { contextOf, decideFiring, expectedBy, type Firing } from './firing.ts';
import { AHEAD_MILLISECONDS, Foresight, type ForeseenFiring } from './foresight.ts';
import { Turn } from './turn.ts';

/** Longest sleep: a clock that was set, or a machine that slept, is noticed after this. */
const LONGEST_SLEEP_MILLISECONDS = 5_000;
const AFTER_FAILURE_MILLISECONDS = 1_000;
/** What whoever has the turn has not fired after this is fired by the others. */
const STAND_IN_MILLISECONDS = 2_000;
/** How many schedules are decided upon in one go. */
const SCHEDULES_PER_APPEND = 100;
/** Appends of different schedules need not wait for each other. */
const SCHEDULES_AT_ONCE = 2_000;

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
    @Inject(Foresight) private readonly foresight: Foresight,
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
          const disturbed = AbortSignal.any([signal, wake.signal]);
          if (grace === 0) await this.foresight.lookAhead(this.#queue, disturbed);
          await pause(this.#sleepUntil(next + grace), disturbed);
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
      try {
        await this.#fireTaken(names, now);
      } catch (error) {
        // The log cannot be reached: what is not fired is still due, and what is will be seen not to be.
        for (const name of names) this.#queue.set(name, now);
        throw error;
      }
    }
  }

  async #fireTaken(names: readonly string[], now: number): Promise<void> {
    await this.book.current();
    // What was foreseen of a schedule that was read of meanwhile is forgotten before it could be sent.
    this.#takeChanges();
    const foreseen = this.foresight.take(now);
    const isForeseen = new Set(foreseen.flatMap(({ firing }) => firing.names));
    const others = names.filter((name) => !isForeseen.has(name));
    const chunks = Array.from({ length: Math.ceil(others.length / SCHEDULES_PER_APPEND) }, (_, index) =>
      others.slice(index * SCHEDULES_PER_APPEND, (index + 1) * SCHEDULES_PER_APPEND),
    );
    const failed = await Promise.all([
      ...foreseen.map((one) => this.#fireForeseen(one)),
      ...chunks.map(async (chunk, index) => {
        // What was decided goes out before the next is decided upon: otherwise the first would wait for the last.
        for (let before = 0; before < index; before += 1) await setImmediate();
        return await this.#fireAll(chunk);
      }),
    ]);
    for (const name of failed.flat()) this.#queue.set(name, now + AFTER_FAILURE_MILLISECONDS);
    await this.book.current();
    this.#takeChanges();
  }

  /** Until something is due, or until it is time to make ready for that. */
  #sleepUntil(next: number): number {
    const left = next - this.clock.now();
    return Math.min(
      Math.max(0, left > AHEAD_MILLISECONDS ? left - AHEAD_MILLISECONDS : left),
      LONGEST_SLEEP_MILLISECONDS,
    );
  }

  /** Asking a calendar costs, so it is asked only of schedules of which something changed. */
  #takeChanges(): void {
    for (const name of this.book.takeChanged()) {
      this.foresight.forget(name);
      this.#askAgain(name);
    }
  }

  #askAgain(name: string): void {
    const booked = this.book.schedule(name);
    const instant = booked && nextDueInstant(booked.state, booked.live, booked.knowledge);
    this.#queue.set(name, instant === undefined ? undefined : Date.parse(instant));
  }

  async #fireForeseen({ firing, append }: ForeseenFiring): Promise<string[]> {
    try {
      await this.#append(firing, append);
      return [];
    } catch (error) {
      this.log.debug('what was foreseen did not come to be and is decided again', { error });
      return await this.#fireAll(firing.names);
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
    const { firing, undue, left } = decideFiring(this.book, names, instantOf(this.clock.now()));
    for (const name of undue) this.#askAgain(name);
    if (firing.events.length > 0) {
      const contexts = (event: AnyDomainEvent) => contextOf(firing, event, this.identity.actor);
      await this.#append(firing, prepareDecided(this.eventLog, firing.events, expectedBy(firing), contexts));
    }
    return left;
  }

  async #append({ events }: Firing, append: PreparedAppend): Promise<void> {
    crashPoint('scheduler.before-fire');
    const { repeated } = await this.eventLog.append(append);
    crashPoint('scheduler.after-fire');
    if (repeated) return;
    for (const { type, data } of events)
      if (type === 'schedule.fired')
        withLogFields({ run: data.run }, () => this.log.info('fired', { ...data }));
      else if (type === 'schedule.skipped') this.log.info('skipped', { ...data });
      else if (type === 'schedule.delayed') this.log.info('delayed', { ...data });
      else if (type === 'schedule.paused') this.log.warn('paused itself', { ...data });
  }
}
