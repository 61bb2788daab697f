import {
  definitionId,
  type AnyRecordedEvent,
  type DefinitionKind,
  type DefinitionSnapshot,
  type EventType,
} from '@catena/events';
import type { EventLog } from '@catena/event-log';
import { BackgroundWork, EVENT_LOG, LogPosition } from '@catena/service';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { backupsRead } from './backups-read.ts';

const FOLLOWED: readonly EventType[] = [
  'definition.applied',
  'definition.deleted',
  'run.requested',
  'run.planned',
  'run.completed',
  'run.refused',
  'run.failed',
  'run.cancelled',
  'collection.backup-completed',
  'collection.plan-dropped',
  'collection.backup-unusable',
  'collection.expiry-undone',
  'collection.backup-deleted',
];

/** A newest event and when the log's server stored it. */
export interface NewestRecord {
  /** By the clock of who appended it, ISO 8601. */
  readonly time: string;
  /** By the clock of the log's server. */
  readonly recordedAt: string;
}

/**
 * What retention must know across aggregates, followed from the log and kept in memory: schedules, which schedule a run
 * was of, what is condemned and not deleted, and which collections have changed since somebody looked.
 */
@Injectable()
export class RetentionView implements OnApplicationBootstrap {
  readonly #definitions = new Map<string, DefinitionSnapshot>();
  readonly #schedules = new Map<string, DefinitionSnapshot>();
  /** By run that may have made a backup: the uid of its schedule. */
  readonly #origins = new Map<string, string>();
  /** By backup. */
  readonly #made = new Map<string, { readonly run: string; readonly collection: string }>();
  /** By run that is not over: the backups that it reads. */
  readonly #reading = new Map<string, readonly string[]>();
  readonly #condemned = new Map<string, Set<string>>();
  readonly #undoUntil = new Map<string, Map<string, number>>();
  readonly #changed = new Set<string>();
  readonly #position = new LogPosition('retention of the chain catalog');
  #newest: NewestRecord | undefined;
  #definitionsChanged = 0;

  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(BackgroundWork) private readonly work: BackgroundWork,
  ) {}

  onApplicationBootstrap(): void {
    this.work.start('retention view', async (signal, healthy) => {
      const from = this.#position.through + 1;
      for await (const batch of this.log.follow({ from, types: FOLLOWED, signal })) {
        for (const event of batch.events) this.#apply(event);
        this.#position.advance(batch.through);
        healthy();
      }
    });
  }

  /** Resolves when everything up to the sequence has been seen. @throws CatenaError `service.behind` (retryable). */
  async reached(sequence: number): Promise<void> {
    await this.#position.reached(sequence);
  }

  schedules(): Iterable<DefinitionSnapshot> {
    return this.#schedules.values();
  }

  definition(kind: DefinitionKind, name: string): DefinitionSnapshot | undefined {
    return this.#definitions.get(definitionId(kind, name));
  }

  /** Another number whenever a definition has changed. */
  get definitionsChanged(): number {
    return this.#definitionsChanged;
  }

  /** The uid of the schedule that asked for the run; undefined when a person did. */
  scheduleOf(run: string): string | undefined {
    return this.#origins.get(run);
  }

  /** Collections with something condemned that is not deleted. */
  condemned(): Iterable<string> {
    return this.#condemned.keys();
  }

  get newest(): NewestRecord | undefined {
    return this.#newest;
  }

  /** Whether the grace of an expiry ended between two times, in milliseconds since 1970; the first is exclusive. */
  graceEnded(collection: string, after: number, until: number): boolean {
    return [...(this.#undoUntil.get(collection)?.values() ?? [])].some((end) => end > after && end <= until);
  }

  /** Whether the collection has changed since the last `takeChange`. */
  hasChanged(collection: string): boolean {
    return this.#changed.has(collection);
  }

  /** To be called before looking at the collection. */
  takeChange(collection: string): void {
    this.#changed.delete(collection);
  }

  /** The look failed: somebody must look again. */
  putBackChange(collection: string): void {
    this.#changed.add(collection);
  }

  #apply(event: AnyRecordedEvent): void {
    this.#newest = { time: event.time, recordedAt: event.recordedAt };
    const { id } = event.aggregate;
    switch (event.type) {
      case 'definition.applied': {
        const { kind, uid, name, generation, spec } = event.data;
        const snapshot = { uid, name, generation, spec };
        this.#definitions.set(id, snapshot);
        if (kind === 'Schedule') this.#schedules.set(id, snapshot);
        this.#definitionsChanged += 1;
        return;
      }
      case 'definition.deleted':
        this.#definitions.delete(id);
        this.#schedules.delete(id);
        this.#definitionsChanged += 1;
        return;
      case 'run.requested': {
        const { request, scheduleUid } = event.data;
        const makes = request.kind === 'backup' || request.kind === 'compose';
        if (makes && scheduleUid !== undefined) this.#origins.set(id, scheduleUid);
        return;
      }
      case 'run.planned': {
        const read = backupsRead(event.data.plan);
        if (read.length > 0) this.#reading.set(id, read);
        return;
      }
      case 'run.refused':
      case 'run.failed':
      case 'run.cancelled':
        this.#origins.delete(id);
        this.#letGo(id);
        return;
      case 'run.completed':
        this.#letGo(id);
        return;
      case 'collection.backup-completed':
        this.#made.set(event.data.backup, { run: event.data.run, collection: id });
        this.#changed.add(id);
        return;
      case 'collection.plan-dropped':
        this.#changed.add(id);
        return;
      case 'collection.backup-unusable':
        this.#markOut(id, event.data);
        return;
      case 'collection.expiry-undone':
        forget(this.#undoUntil, id, event.data.backup);
        return;
      case 'collection.backup-deleted':
        this.#forgetBackup(id, event.data.backup);
        this.#changed.add(id);
        return;
      default:
    }
  }

  #markOut(
    collection: string,
    data: { backup: string; reason: string; undoUntil?: string | undefined },
  ): void {
    const { backup, reason, undoUntil } = data;
    if (reason === 'expired' && undoUntil !== undefined) {
      const ends = this.#undoUntil.get(collection) ?? new Map<string, number>();
      this.#undoUntil.set(collection, ends.set(backup, Date.parse(undoUntil)));
    }
    if (reason !== 'condemned') return;
    forget(this.#undoUntil, collection, backup);
    this.#condemned.set(collection, (this.#condemned.get(collection) ?? new Set()).add(backup));
  }

  /** What was kept because the run read it may go now. */
  #letGo(run: string): void {
    for (const backup of this.#reading.get(run) ?? []) {
      const made = this.#made.get(backup);
      if (made !== undefined) this.#changed.add(made.collection);
    }
    this.#reading.delete(run);
  }

  #forgetBackup(collection: string, backup: string): void {
    forget(this.#condemned, collection, backup);
    const made = this.#made.get(backup);
    this.#made.delete(backup);
    if (made !== undefined) this.#origins.delete(made.run);
  }
}

function forget(
  places: Map<string, { delete(backup: string): boolean; readonly size: number }>,
  collection: string,
  backup: string,
): void {
  const place = places.get(collection);
  if (place?.delete(backup) === true && place.size === 0) places.delete(collection);
}
