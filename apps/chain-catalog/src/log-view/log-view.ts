import {
  definitionId,
  type AnyRecordedEvent,
  type DefinitionKind,
  type DefinitionSnapshot,
  type EventType,
} from '@catena/events';
import type { AggregateHead } from '@catena/event-log';
import { evolveRun, initialRun, isOver, type RunState } from '@catena/run';
import { sharingOf } from '@catena/schedule';
import { CLOCK, pagesOf, type Clock, type LogFold } from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { CatalogFollower } from './catalog-follower.ts';

/** A run that is not over, with what the planner and the reconciler need to know of it. */
export interface OpenRun {
  readonly state: RunState;
  /** Sequence of its request: runs that wait are planned in this order. */
  readonly requested: number;
  /** Sequence of its newest event. */
  readonly newest: number;
  /** Where its history ends, as long as it is `requested`: what may be expected when something is said of its wait. */
  readonly head: AggregateHead;
  /** When it was asked for, in milliseconds since 1970. */
  readonly requestedAt: number;
  /** When this process saw that event, in milliseconds since 1970. */
  readonly seenAt: number;
}

type KindOfDefinition = readonly [kind: DefinitionKind, definition: DefinitionSnapshot];
type KeptRun = Omit<OpenRun, 'seenAt'>;

/** A part of it in a snapshot. */
interface KeptPage {
  readonly definitions?: readonly KindOfDefinition[];
  /** By repository. */
  readonly collections?: readonly (readonly [repositoryUid: string, collections: readonly string[]])[];
  readonly runs?: readonly (readonly [run: string, open: KeptRun])[];
}

const FOLLOWED: readonly EventType[] = [
  'definition.applied',
  'definition.deleted',
  'collection.opened',
  'run.requested',
  'run.waiting',
  'run.planned',
  'run.refused',
  'run.claimed',
  'run.released',
  'run.attempt-failed',
  'run.cancel-requested',
  'run.completed',
  'run.failed',
  'run.cancelled',
];

/**
 * What spans aggregates, followed from the log and kept in memory: definitions by name, which collections a repository
 * has, and the runs that are not over. It finds things; decisions load what they decide about.
 */
@Injectable()
export class LogView implements LogFold {
  readonly name = 'log-view';
  readonly version = 1;
  readonly types = FOLLOWED;
  readonly #follower: CatalogFollower;
  readonly #clock: Clock;
  readonly #definitions = new Map<string, KindOfDefinition>();
  /** Ids of those that are Schedules. */
  readonly #schedules = new Set<string>();
  /** Ids of those that limit what runs at once. */
  readonly #limiting = new Set<string>();
  readonly #collections = new Map<string, Set<string>>();
  readonly #runs = new Map<string, OpenRun>();
  #definitionsChanged = 0;

  constructor(@Inject(CatalogFollower) follower: CatalogFollower, @Inject(CLOCK) clock: Clock) {
    this.#clock = clock;
    this.#follower = follower;
    follower.add(this);
  }

  /** Resolves when all that was in the log at the start has been seen, or the signal aborts. */
  async started(signal: AbortSignal): Promise<void> {
    await this.#follower.started(signal);
  }

  /** Resolves when everything up to the sequence has been seen. @throws CatenaError `service.behind` (retryable). */
  async reached(sequence: number): Promise<void> {
    await this.#follower.reached(sequence);
  }

  /** Resolves when everything that is in the log now has been seen. */
  async current(): Promise<void> {
    await this.#follower.current();
  }

  definition(kind: DefinitionKind, name: string): DefinitionSnapshot | undefined {
    return this.#definitions.get(definitionId(kind, name))?.[1];
  }

  *schedules(): Iterable<DefinitionSnapshot> {
    for (const id of this.#schedules) {
      const defined = this.#definitions.get(id);
      if (defined !== undefined) yield defined[1];
    }
  }

  /** Another number whenever a definition has changed. */
  get definitionsChanged(): number {
    return this.#definitionsChanged;
  }

  /** Whether anything limits what runs at once. */
  get hasLimits(): boolean {
    return this.#limiting.size > 0;
  }

  /** Ids of the collections that were ever opened in a repository. */
  collectionsIn(repositoryUid: string): string[] {
    return [...(this.#collections.get(repositoryUid) ?? [])];
  }

  openRun(run: string): OpenRun | undefined {
    return this.#runs.get(run);
  }

  /** Runs that are not over, in the order of their requests. */
  openRuns(): OpenRun[] {
    return [...this.#runs.values()];
  }

  apply(event: AnyRecordedEvent): void {
    switch (event.type) {
      case 'definition.applied': {
        const { kind, uid, name, generation, spec } = event.data;
        this.#define([kind, { uid, name, generation, spec }]);
        return;
      }
      case 'definition.deleted': {
        const { id } = event.aggregate;
        for (const place of [this.#definitions, this.#schedules, this.#limiting]) place.delete(id);
        this.#definitionsChanged += 1;
        return;
      }
      case 'collection.opened': {
        const { repositoryUid } = event.data;
        const known = this.#collections.get(repositoryUid) ?? new Set();
        this.#collections.set(repositoryUid, known.add(event.aggregate.id));
        return;
      }
      default:
        if (event.aggregate.type === 'run') this.#applyToRun(event);
    }
  }

  *capture(): Iterable<KeptPage> {
    for (const definitions of pagesOf(this.#definitions.values())) yield { definitions };
    const collections = [...this.#collections].map(([uid, ids]) => [uid, [...ids]] as const);
    for (const page of pagesOf(collections)) yield { collections: page };
    const runs = [...this.#runs].map(([id, { seenAt: _seenAt, ...run }]) => [id, run] as const);
    for (const page of pagesOf(runs)) yield { runs: page };
  }

  restore(page: unknown): void {
    const { definitions = [], collections = [], runs = [] } = page as KeptPage;
    for (const definition of definitions) this.#define(definition);
    for (const [repositoryUid, ids] of collections) this.#collections.set(repositoryUid, new Set(ids));
    for (const [id, run] of runs) this.#runs.set(id, { ...run, seenAt: this.#clock.now() });
  }

  clear(): void {
    for (const place of [this.#definitions, this.#schedules, this.#limiting, this.#collections, this.#runs])
      place.clear();
  }

  #define([kind, definition]: KindOfDefinition): void {
    const id = definitionId(kind, definition.name);
    this.#definitions.set(id, [kind, definition]);
    if (kind === 'Schedule') this.#schedules.add(id);
    const limits = kind === 'Limits' || sharingOf(definition.spec).runsAtOnce !== undefined;
    if (limits) this.#limiting.add(id);
    else this.#limiting.delete(id);
    this.#definitionsChanged += 1;
  }

  #applyToRun(event: AnyRecordedEvent): void {
    const run = event.aggregate.id;
    const known = this.#runs.get(run);
    const state = evolveRun(known?.state ?? initialRun(run), event);
    if (isOver(state)) this.#runs.delete(run);
    else {
      const { sequence, hash } = event;
      this.#runs.set(run, {
        state,
        requested: known?.requested ?? sequence,
        newest: sequence,
        head: { sequence, hash },
        requestedAt: known?.requestedAt ?? Date.parse(event.time),
        seenAt: this.#clock.now(),
      });
    }
  }
}
