import type { EventType } from '@catena/events';
import {
  EMPTY_HEAD,
  loadPagedSnapshot,
  savePagedSnapshot,
  type AggregateHead,
  type EventLog,
  type PagedFold,
  type Snapshots,
} from '@catena/event-log';
import { z } from 'zod';
import type { Readiness } from '../health/readiness.ts';
import type { BackgroundWork } from '../lifecycle/background-work.ts';
import { pause } from '../lifecycle/pause.ts';
import type { Log } from '../logging/log.ts';
import type { LogFold } from './log-fold.ts';
import { LogPosition } from './log-position.ts';

/** What a follower stands on. */
export interface FollowerPorts {
  readonly log: Log;
  readonly eventLog: EventLog;
  readonly snapshots: Snapshots;
  readonly work: BackgroundWork;
  readonly readiness: Readiness;
}

export interface FollowerOptions {
  /** As errors name it. */
  readonly who: string;
  /** Under which its snapshot is kept. */
  readonly kept: Pick<PagedFold, 'aggregate' | 'fold'>;
}

/** Of the form of the pages here; each fold has a version of its own beside it. */
const FORM = 1;
const ROUND_MILLISECONDS = 5_000;
/** So many events are read in less than a second, so a start need not do better. */
const LEAST_EVENTS = 10_000;

const keptPage = z.union([
  z.object({ versions: z.record(z.string(), z.number()) }),
  z.object({ fold: z.string(), page: z.unknown() }),
]);

/**
 * Reads the log once for everything in a process that is folded from it: from a snapshot, if there is one, and on from
 * there. The snapshot is a cache; without it, or with one of other folds, the log is read from its first event.
 */
export class LogFollower {
  readonly #ports: FollowerPorts;
  readonly #options: FollowerOptions;
  readonly #folds: LogFold[] = [];
  readonly #position: LogPosition;
  /** The last event that was applied. */
  #last: AggregateHead = EMPTY_HEAD;
  #savedThrough = 0;
  /** Whether what is kept can be used by this build: it was, or this process has kept it. */
  #keptIsOurs = false;
  /** Where the log ended when this process began to read it. */
  #end: number | undefined;

  constructor(ports: FollowerPorts, options: FollowerOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#position = new LogPosition(options.who);
  }

  /** To be called before `start`. */
  add(fold: LogFold): void {
    this.#folds.push(fold);
  }

  start(): void {
    const { work, readiness } = this.#ports;
    readiness.startsWith('event log', () => this.#left());
    work.start('event log', (signal, healthy) => this.#follow(signal, healthy));
    work.start('snapshot', async (signal, healthy) => {
      while (await pause(ROUND_MILLISECONDS, signal)) {
        await this.#keepNow();
        healthy();
      }
    });
  }

  /** Resolves when everything up to the sequence has been seen. @throws CatenaError `service.behind` (retryable). */
  async reached(sequence: number): Promise<void> {
    await this.#position.reached(sequence);
  }

  /** Resolves when everything that is in the log now has been seen. @throws CatenaError `service.behind` (retryable). */
  async current(): Promise<void> {
    await this.reached(await this.#ports.eventLog.lastSequence());
  }

  /** Resolves when all that was in the log at the start has been read, however long that takes, or the signal aborts. */
  async started(signal: AbortSignal): Promise<void> {
    while (this.#left() !== undefined && (await pause(20, signal)));
  }

  /** Keeps everything as it stands now, so that the next start need not read the log from its first event. */
  async saveSnapshot(): Promise<void> {
    const { snapshots, log } = this.#ports;
    const head = this.#last;
    const through = this.#position.through;
    if (head.sequence === 0) return;
    const captured = this.#folds.flatMap((fold) =>
      [...fold.capture()].map((page) => ({ fold: fold.name, page })),
    );
    this.#savedThrough = through;
    await savePagedSnapshot(snapshots, this.#pagedFold, {
      head,
      pages: [{ versions: this.#versions }, ...captured],
    });
    this.#keptIsOurs = true;
    log.debug('what was read of the log is kept', { through, pages: captured.length });
  }

  async #follow(signal: AbortSignal, healthy: () => void): Promise<void> {
    const { eventLog } = this.#ports;
    if (this.#position.through === 0) await this.#restore();
    this.#end ??= await eventLog.lastSequence();
    const byType = this.#byType();
    this.#tellCaughtUp(signal);
    const from = this.#position.through + 1;
    for await (const batch of eventLog.follow({ from, types: [...byType.keys()], signal })) {
      for (const event of batch.events) {
        // A batch that could not be taken in whole comes again.
        if (event.sequence <= this.#last.sequence) continue;
        for (const fold of byType.get(event.type) ?? []) fold.apply(event);
        this.#last = { sequence: event.sequence, hash: event.hash };
      }
      this.#position.advance(batch.through);
      this.#tellCaughtUp(signal);
      healthy();
    }
  }

  #tellCaughtUp(signal: AbortSignal): void {
    if (this.#left() !== undefined) return;
    for (const fold of this.#folds) fold.caughtUp?.(signal);
  }

  /** What is still to be read of what was there at the start. */
  #left(): string | undefined {
    const { through } = this.#position;
    if (this.#end === undefined) return 'is not read yet';
    return through >= this.#end ? undefined : `${through} of ${this.#end} events are read`;
  }

  #byType(): ReadonlyMap<EventType, readonly LogFold[]> {
    const types = new Set(this.#folds.flatMap((fold) => fold.types));
    return new Map([...types].map((type) => [type, this.#folds.filter((fold) => fold.types.includes(type))]));
  }

  get #versions(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#folds.map(({ name, version }) => [name, version]));
  }

  get #pagedFold(): PagedFold {
    return { ...this.#options.kept, version: FORM };
  }

  async #restore(): Promise<void> {
    const { eventLog, snapshots, log } = this.#ports;
    try {
      const kept = { isOurs: false };
      const head = await loadPagedSnapshot(eventLog, snapshots, this.#pagedFold, (content) => {
        const page = keptPage.parse(content);
        if ('versions' in page) kept.isOurs = sameVersions(page.versions, this.#versions);
        else if (kept.isOurs) this.#folds.find(({ name }) => name === page.fold)?.restore(page.page);
      });
      if (head === undefined || !kept.isOurs) return;
      this.#last = head;
      this.#savedThrough = head.sequence;
      this.#keptIsOurs = true;
      this.#position.advance(head.sequence);
      log.info('the start begins with the snapshot', { through: head.sequence });
    } catch (error) {
      for (const fold of this.#folds) fold.clear();
      snapshots.onFailure(error);
    }
  }

  /** When enough was read since the last one. One that cannot be written costs the next start some time, nothing else. */
  async #keepNow(): Promise<void> {
    const { snapshots } = this.#ports;
    if (this.#left() !== undefined || this.#position.through - this.#savedThrough < LEAST_EVENTS) return;
    try {
      const { aggregate, fold } = this.#options.kept;
      const kept = await snapshots.store.load(aggregate, fold);
      // Another process with the same work may have kept one meanwhile.
      if (this.#keptIsOurs && kept !== undefined && kept.head.sequence <= this.#position.through)
        this.#savedThrough = Math.max(this.#savedThrough, kept.head.sequence);
      if (this.#position.through - this.#savedThrough >= LEAST_EVENTS) await this.saveSnapshot();
    } catch (error) {
      snapshots.onFailure(error);
    }
  }
}

function sameVersions(
  some: Readonly<Record<string, number>>,
  others: Readonly<Record<string, number>>,
): boolean {
  const names = Object.keys(others);
  return names.length === Object.keys(some).length && names.every((name) => some[name] === others[name]);
}
