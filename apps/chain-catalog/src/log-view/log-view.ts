import {
  definitionId,
  type AnyRecordedEvent,
  type DefinitionKind,
  type DefinitionSnapshot,
  type EventType,
} from '@catena/events';
import type { AggregateHead, EventLog } from '@catena/event-log';
import { evolveRun, initialRun, isOver, type RunState } from '@catena/run';
import { sharingOf } from '@catena/schedule';
import { BackgroundWork, CLOCK, EVENT_LOG, LogPosition, type Clock } from '@catena/service';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';

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
export class LogView implements OnApplicationBootstrap {
  readonly #log: EventLog;
  readonly #work: BackgroundWork;
  readonly #clock: Clock;
  readonly #definitions = new Map<string, DefinitionSnapshot>();
  /** Definitions that limit what runs at once. */
  readonly #limiting = new Set<string>();
  readonly #collections = new Map<string, Set<string>>();
  readonly #runs = new Map<string, OpenRun>();
  readonly #position = new LogPosition('chain catalog');

  constructor(
    @Inject(EVENT_LOG) log: EventLog,
    @Inject(BackgroundWork) work: BackgroundWork,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.#clock = clock;
    this.#log = log;
    this.#work = work;
  }

  onApplicationBootstrap(): void {
    this.#work.start('log view', async (signal, healthy) => {
      const from = this.#position.through + 1;
      for await (const batch of this.#log.follow({ from, types: FOLLOWED, signal })) {
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

  /** Resolves when everything that is in the log now has been seen. */
  async current(): Promise<void> {
    await this.reached(await this.#log.lastSequence());
  }

  definition(kind: DefinitionKind, name: string): DefinitionSnapshot | undefined {
    return this.#definitions.get(definitionId(kind, name));
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

  #apply(event: AnyRecordedEvent): void {
    switch (event.type) {
      case 'definition.applied': {
        const { kind, uid, name, generation, spec } = event.data;
        this.#definitions.set(event.aggregate.id, { uid, name, generation, spec });
        const limits = kind === 'Limits' || sharingOf(spec).runsAtOnce !== undefined;
        if (limits) this.#limiting.add(event.aggregate.id);
        else this.#limiting.delete(event.aggregate.id);
        return;
      }
      case 'definition.deleted':
        this.#definitions.delete(event.aggregate.id);
        this.#limiting.delete(event.aggregate.id);
        return;
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
