import { setImmediate } from 'node:timers/promises';
import type { EventLog, PreparedAppend } from '@catena/event-log';
import { CLOCK, EVENT_LOG, instantOf, prepareDecided, ServiceIdentity, type Clock } from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { ScheduleBook } from '../schedule-book/schedule-book.ts';
import type { DueQueue } from './due-queue.ts';
import { contextOf, decideFiring, expectedBy, type Firing } from './firing.ts';

/** How long before its instant a firing is made ready, in milliseconds. */
export const AHEAD_MILLISECONDS = 2_000;
/** What was decided for an instant longer ago than this is decided again, so that no event bears a time far from its own. */
const STALE_MILLISECONDS = 1_000;
/** Their encoded events are kept until then, about 5 kB for each. */
const MOST_SCHEDULES = 2_000;
const SCHEDULES_PER_APPEND = 100;

/** A firing of which only the sending is left. */
export interface ForeseenFiring {
  readonly firing: Firing;
  readonly append: PreparedAppend;
}

/**
 * Decides before its instant what will be due, so that at the instant it need only be sent. A schedule of which anything
 * is read in between is decided upon again; and what is sent expects the log where it was, like every other firing.
 */
@Injectable()
export class Foresight {
  readonly #ofSchedule = new Map<string, ForeseenFiring>();

  constructor(
    @Inject(ScheduleBook) private readonly book: ScheduleBook,
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(ServiceIdentity) private readonly identity: ServiceIdentity,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Makes ready what is due soon. Ends early when something is due or the signal says that there is other work. */
  async lookAhead(queue: DueQueue, signal: AbortSignal): Promise<void> {
    const room = MOST_SCHEDULES - this.#ofSchedule.size;
    if (room <= 0) return;
    const upcoming = queue.upcoming(this.clock.now() + AHEAD_MILLISECONDS, MOST_SCHEDULES);
    const [first] = upcoming;
    const atInstant = Map.groupBy(
      upcoming.filter(({ name }) => !this.#ofSchedule.has(name)).slice(0, room),
      ({ due }) => due,
    );
    for (const [due, entries] of atInstant) {
      for (let from = 0; from < entries.length; from += SCHEDULES_PER_APPEND) {
        if (signal.aborted || (first && first.due <= this.clock.now())) return;
        this.#foresee(
          entries.slice(from, from + SCHEDULES_PER_APPEND).map(({ name }) => name),
          due,
        );
        await setImmediate();
      }
    }
  }

  /** Firings whose instant has come; each is given once. */
  take(now: number): ForeseenFiring[] {
    const ready = new Set<ForeseenFiring>();
    for (const foreseen of this.#ofSchedule.values())
      if (Date.parse(foreseen.firing.at) <= now) ready.add(foreseen);
    for (const foreseen of ready) this.#drop(foreseen);
    return [...ready].filter(({ firing }) => now - Date.parse(firing.at) <= STALE_MILLISECONDS);
  }

  /** Whether a schedule's next firing is ready. */
  has(name: string): boolean {
    return this.#ofSchedule.has(name);
  }

  /** Something of a schedule is not as it was. */
  forget(name: string): void {
    const foreseen = this.#ofSchedule.get(name);
    if (foreseen) this.#drop(foreseen);
  }

  #foresee(names: readonly string[], due: number): void {
    const { firing } = decideFiring(this.book, names, instantOf(due));
    if (firing.events.length === 0) return;
    const append = prepareDecided(this.eventLog, firing.events, expectedBy(firing), (event) =>
      contextOf(firing, event, this.identity.actor),
    );
    const foreseen = { firing, append };
    for (const name of firing.names) this.#ofSchedule.set(name, foreseen);
  }

  #drop(foreseen: ForeseenFiring): void {
    for (const name of foreseen.firing.names) this.#ofSchedule.delete(name);
  }
}
