import type { AnyRecordedEvent } from '@catena/events';
import {
  collectionSnapshot,
  evolveCollectionWith,
  evolveRepository,
  initialCollection,
  initialRepository,
  type CollectionState,
  type RepositoryState,
} from '@catena/chain';
import type { EventLog, Snapshots } from '@catena/event-log';
import { evolveRun, initialRun, type RunState } from '@catena/run';
import { AggregateCache, EVENT_LOG, SNAPSHOTS } from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';

const RUNS_KEPT = 2_000;
const COLLECTIONS_KEPT = 500;

/** The aggregates that the chain catalog decides about, each folded from its own events. */
@Injectable()
export class Histories {
  readonly runs: AggregateCache<RunState>;
  readonly collections: AggregateCache<CollectionState>;
  readonly repositories: AggregateCache<RepositoryState>;

  constructor(@Inject(EVENT_LOG) log: EventLog, @Inject(SNAPSHOTS) snapshots: Snapshots) {
    this.runs = new AggregateCache(
      log,
      { type: 'run', initial: initialRun, evolve: (state, events) => events.reduce(evolveRunOnce, state) },
      { size: RUNS_KEPT },
    );
    this.collections = new AggregateCache(
      log,
      {
        type: 'collection',
        initial: initialCollection,
        evolve: evolveCollectionWith,
        snapshot: collectionSnapshot,
      },
      { size: COLLECTIONS_KEPT, snapshots },
    );
    this.repositories = new AggregateCache(log, {
      type: 'repository',
      initial: initialRepository,
      evolve: (state, events) => events.reduce(evolveRepositoryOnce, state),
    });
  }
}

function evolveRunOnce(state: RunState, event: AnyRecordedEvent): RunState {
  return evolveRun(state, event);
}

function evolveRepositoryOnce(state: RepositoryState, event: AnyRecordedEvent): RepositoryState {
  return evolveRepository(state, event);
}
