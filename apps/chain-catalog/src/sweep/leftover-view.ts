import type { AnyRecordedEvent, DefinitionSnapshot, EventType } from '@catena/events';
import { pagesOf, type LogFold } from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { CatalogFollower } from '../log-view/catalog-follower.ts';

const FOLLOWED: readonly EventType[] = [
  'definition.applied',
  'definition.deleted',
  'run.planned',
  'run.claimed',
  'run.completed',
  'run.failed',
  'run.cancelled',
];

/** The end of a run, when the log's server stored it. */
export interface RunEnd {
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A repository in which runs that are over may have left something. */
export interface Littered {
  readonly repository: DefinitionSnapshot;
  /** The first such run since the last sweep, and the last. */
  readonly first: RunEnd;
  readonly last: RunEnd;
}

/** A run that writes and is not over: where, and whether an attempt ended before its time. */
interface Writing {
  readonly repositoryUid: string;
  readonly mayLeave: boolean;
}

/** A part of it in a snapshot. */
interface KeptPage {
  readonly repositories?: readonly DefinitionSnapshot[];
  readonly runs?: readonly (readonly [run: string, writing: Writing])[];
  readonly ends?: readonly (readonly [repositoryUid: string, ends: Ends])[];
}

interface Ends {
  readonly first: RunEnd;
  readonly last: RunEnd;
}

/** Where interrupted and failed runs may have left something, followed from the log and kept in memory. */
@Injectable()
export class LeftoverView implements LogFold {
  readonly name = 'leftover-view';
  readonly version = 1;
  readonly types = FOLLOWED;
  readonly #repositories = new Map<string, DefinitionSnapshot>();
  readonly #runs = new Map<string, Writing>();
  readonly #ends = new Map<string, Ends>();

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

  /** Repositories that are defined and were not swept since something may have been left in them. */
  littered(): Littered[] {
    return [...this.#ends].flatMap(([uid, ends]) => {
      const repository = this.#repositories.get(uid);
      return repository === undefined ? [] : [{ repository, ...ends }];
    });
  }

  apply(event: AnyRecordedEvent): void {
    const { id } = event.aggregate;
    switch (event.type) {
      case 'definition.applied': {
        const { kind, uid, name, generation, spec } = event.data;
        if (kind === 'Repository') this.#repositories.set(uid, { uid, name, generation, spec });
        return;
      }
      case 'definition.deleted':
        this.#repositories.delete(event.data.uid);
        return;
      case 'run.planned': {
        const { plan } = event.data;
        if (plan.kind === 'backup' || plan.kind === 'compose')
          this.#runs.set(id, { repositoryUid: plan.repository.uid, mayLeave: false });
        if (plan.kind !== 'sweep' || plan.dryRun) return;
        // One that fails is as if it had not been: its end asks for the next.
        this.#runs.set(id, { repositoryUid: plan.repository.uid, mayLeave: false });
        this.#swept(plan.repository.uid, Date.parse(event.recordedAt) - plan.grace);
        return;
      }
      case 'run.claimed': {
        const run = this.#runs.get(id);
        if (run !== undefined && event.data.attempt > 1) this.#runs.set(id, { ...run, mayLeave: true });
        return;
      }
      case 'run.completed':
        this.#over(event, this.#runs.get(id)?.mayLeave ?? false);
        return;
      case 'run.failed':
      case 'run.cancelled':
        this.#over(event, event.data.attempt > 0);
        return;
      default:
    }
  }

  *capture(): Iterable<KeptPage> {
    for (const repositories of pagesOf(this.#repositories.values())) yield { repositories };
    for (const runs of pagesOf(this.#runs)) yield { runs };
    for (const ends of pagesOf(this.#ends)) yield { ends };
  }

  restore(page: unknown): void {
    const { repositories = [], runs = [], ends = [] } = page as KeptPage;
    for (const repository of repositories) this.#repositories.set(repository.uid, repository);
    for (const [run, writing] of runs) this.#runs.set(run, writing);
    for (const [uid, end] of ends) this.#ends.set(uid, end);
  }

  clear(): void {
    for (const place of [this.#repositories, this.#runs, this.#ends]) place.clear();
  }

  #over({ aggregate, sequence, recordedAt }: AnyRecordedEvent, mayLeave: boolean): void {
    const run = this.#runs.get(aggregate.id);
    this.#runs.delete(aggregate.id);
    if (run === undefined || !mayLeave) return;
    const end = { sequence, at: Date.parse(recordedAt) };
    const { first = end } = this.#ends.get(run.repositoryUid) ?? {};
    this.#ends.set(run.repositoryUid, { first, last: end });
  }

  /** What was over by then needs no other sweep. */
  #swept(repositoryUid: string, until: number): void {
    const ends = this.#ends.get(repositoryUid);
    if (ends === undefined || ends.first.at > until) return;
    if (ends.last.at <= until) this.#ends.delete(repositoryUid);
    else this.#ends.set(repositoryUid, { first: ends.last, last: ends.last });
  }
}
