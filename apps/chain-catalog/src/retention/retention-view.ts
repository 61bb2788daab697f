import type { AnyRecordedEvent, EventType } from '@catena/events';
import { pagesOf, type LogFold } from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { CatalogFollower } from '../log-view/catalog-follower.ts';
import { backupsRead } from './backups-read.ts';

const FOLLOWED: readonly EventType[] = [
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

interface MadeBackup {
  readonly run: string;
  readonly collection: string;
}

/** A part of it in a snapshot. */
interface KeptPage {
  readonly origins?: readonly (readonly [run: string, scheduleUid: string])[];
  readonly made?: readonly (readonly [backup: string, made: MadeBackup])[];
  readonly reading?: readonly (readonly [run: string, backups: readonly string[]])[];
  /** By collection. */
  readonly condemned?: readonly (readonly [collection: string, backups: readonly string[]])[];
  readonly undoUntil?: readonly (readonly [
    collection: string,
    ends: readonly (readonly [backup: string, end: number])[],
  ])[];
  readonly changed?: readonly string[];
  readonly newest?: NewestRecord;
}

/** A newest event and when the log's server stored it. */
export interface NewestRecord {
  /** By the clock of who appended it, ISO 8601. */
  readonly time: string;
  /** By the clock of the log's server. */
  readonly recordedAt: string;
}

/**
 * What retention must know across aggregates, followed from the log and kept in memory: which schedule a run was of, what
 * is condemned and not deleted, and which collections have changed since somebody looked.
 */
@Injectable()
export class RetentionView implements LogFold {
  readonly name = 'retention-view';
  readonly version = 1;
  readonly types = FOLLOWED;
  /** By run that may have made a backup: the uid of its schedule. */
  readonly #origins = new Map<string, string>();
  /** By backup. */
  readonly #made = new Map<string, MadeBackup>();
  /** By run that is not over: the backups that it reads. */
  readonly #reading = new Map<string, readonly string[]>();
  readonly #condemned = new Map<string, Set<string>>();
  readonly #undoUntil = new Map<string, Map<string, number>>();
  readonly #changed = new Set<string>();
  #newest: NewestRecord | undefined;

  constructor(@Inject(CatalogFollower) private readonly follower: CatalogFollower) {
    follower.add(this);
  }

  /** Resolves when all that was in the log at the start has been seen, or the signal aborts. */
  async started(signal: AbortSignal): Promise<void> {
    await this.follower.started(signal);
  }

  /** Resolves when everything up to the sequence has been seen. @throws CatenaError `service.behind` (retryable). */
  async reached(sequence: number): Promise<void> {
    await this.follower.reached(sequence);
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

  apply(event: AnyRecordedEvent): void {
    this.#newest = { time: event.time, recordedAt: event.recordedAt };
    const { id } = event.aggregate;
    switch (event.type) {
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

  *capture(): Iterable<KeptPage> {
    const condemned = [...this.#condemned].map(([id, backups]) => [id, [...backups]] as const);
    const undoUntil = [...this.#undoUntil].map(([id, ends]) => [id, [...ends]] as const);
    for (const origins of pagesOf(this.#origins)) yield { origins };
    for (const made of pagesOf(this.#made)) yield { made };
    for (const reading of pagesOf(this.#reading)) yield { reading };
    for (const page of pagesOf(condemned)) yield { condemned: page };
    for (const page of pagesOf(undoUntil)) yield { undoUntil: page };
    for (const changed of pagesOf(this.#changed)) yield { changed };
    if (this.#newest !== undefined) yield { newest: this.#newest };
  }

  restore(page: unknown): void {
    const kept = page as KeptPage;
    for (const [run, schedule] of kept.origins ?? []) this.#origins.set(run, schedule);
    for (const [backup, made] of kept.made ?? []) this.#made.set(backup, made);
    for (const [run, backups] of kept.reading ?? []) this.#reading.set(run, backups);
    for (const [collection, backups] of kept.condemned ?? [])
      this.#condemned.set(collection, new Set(backups));
    for (const [collection, ends] of kept.undoUntil ?? []) this.#undoUntil.set(collection, new Map(ends));
    for (const collection of kept.changed ?? []) this.#changed.add(collection);
    this.#newest = kept.newest ?? this.#newest;
  }

  clear(): void {
    for (const place of [this.#origins, this.#made, this.#reading, this.#condemned, this.#undoUntil])
      place.clear();
    this.#changed.clear();
    this.#newest = undefined;
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
