import { liveScheduleAgain, timesOfSchedule, type LiveSchedule, type ScheduleTimes } from '@catena/schedule';
import type { DefinitionShelf } from './definition-shelf.ts';
import { frozenEntries } from './frozen-entries.ts';

/** How many schedules are kept opened: those of one tick. */
const OPENED = 2_000;

interface Shelved extends ScheduleTimes {
  readonly uid: string;
}

/** A schedule as it is kept: its name, its uid and its times. */
export type CapturedSchedule = readonly [name: string, uid: string, times: ScheduleTimes];

/**
 * Schedules that are defined, by name. What their definitions say is on the shelf of definitions and is read from there
 * when it is asked for: of a hundred thousand schedules a few are looked at in a second.
 */
export class ScheduleShelf {
  readonly #definitions: DefinitionShelf;
  readonly #shelved = new Map<string, Shelved>();
  readonly #opened = new Map<string, LiveSchedule>();

  constructor(definitions: DefinitionShelf) {
    this.#definitions = definitions;
  }

  /** Its definition must be on its shelf already. */
  put(live: LiveSchedule): void {
    const { createdAt, targetSince, since } = timesOfSchedule(live);
    this.#shelved.set(live.name, { uid: live.uid, createdAt, targetSince, since });
    this.#remember(live);
  }

  delete(name: string): void {
    this.#shelved.delete(name);
    this.#opened.delete(name);
  }

  get(name: string): LiveSchedule | undefined {
    const known = this.#opened.get(name);
    if (known) return known;
    const shelved = this.#shelved.get(name);
    const { state } = shelved ? this.#definitions.get('Schedule', name) : {};
    if (!shelved || !state) return undefined;
    const live = liveScheduleAgain(state, shelved);
    this.#remember(live);
    return live;
  }

  uidOf(name: string): string | undefined {
    return this.#shelved.get(name)?.uid;
  }

  names(): string[] {
    return [...this.#shelved.keys()];
  }

  /** All of it as it is now; what is read later does not change it. */
  capture(): Iterable<CapturedSchedule> {
    const entries = frozenEntries(this.#shelved);
    return {
      *[Symbol.iterator]() {
        for (const [name, { uid, ...times }] of entries) yield [name, uid, times] as const;
      },
    };
  }

  /** Its definition must be on its shelf already. */
  restore([name, uid, times]: CapturedSchedule): void {
    this.#shelved.set(name, { uid, ...times });
  }

  #remember(live: LiveSchedule): void {
    if (this.#opened.size >= OPENED) this.#opened.clear();
    this.#opened.set(live.name, live);
  }
}
