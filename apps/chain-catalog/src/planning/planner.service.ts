import { collectionIdOf, type AnyDomainEvent, type BackupType, type RunRequest } from '@catena/events';
import { decidePlan, type CollectionState, type PlanningFacts } from '@catena/chain';
import type { EventLog } from '@catena/event-log';
import { isOver, type RunState } from '@catena/run';
import { keepsLog } from '@catena/schedule';
import {
  appendDecided,
  CLOCK,
  crashPoint,
  EVENT_LOG,
  instantOf,
  Log,
  ServiceIdentity,
  untilNoConflict,
  withLogFields,
  type Clock,
  type ExpectedHead,
  type Loaded,
} from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { Histories } from '../history/histories.ts';
import { JobBoard } from '../jobs/job-board.ts';
import { LogView, type OpenRun } from '../log-view/log-view.ts';

interface Gathered {
  readonly facts: PlanningFacts;
  readonly collections: readonly Loaded<CollectionState>[];
}

/** Decides what requested runs must be, and hints movers at them. */
@Injectable()
export class PlannerService {
  constructor(
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(Histories) private readonly histories: Histories,
    @Inject(LogView) private readonly view: LogView,
    @Inject(JobBoard) private readonly jobs: JobBoard,
    @Inject(ServiceIdentity) private readonly identity: ServiceIdentity,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  /** Plans a run whose request has the sequence; those that wait for the same place longer come first. */
  async planRequested(run: string, sequence: number): Promise<void> {
    await this.view.reached(sequence);
    const open = this.view.openRun(run);
    if (open !== undefined) await this.#planInOrder(samePlaceAs(open));
  }

  /**
   * Plans whatever was requested and is not planned, in order.
   * @param sequence to have seen: of the run's end that others may have waited for.
   */
  async planWaiting(sequence: number): Promise<void> {
    await this.view.reached(sequence);
    await this.#planInOrder((one) => one.state.phase === 'requested');
  }

  async #planInOrder(wanted: (one: OpenRun) => boolean): Promise<void> {
    const open = this.view.openRuns();
    const takers = new Map(open.map((one) => [placeTakenBy(one), one.state.run]));
    const isFree = ({ state }: OpenRun) => (takers.get(placeOf(state)) ?? state.run) === state.run;
    for (const { state } of open.filter((one) => wanted(one) && isFree(one)))
      await withLogFields({ run: state.run }, () => this.#plan(state.run));
  }

  async #plan(run: string): Promise<void> {
    const planned = await untilNoConflict(() => this.#decide(run));
    if (planned === undefined) return;
    await this.jobs.put(planned.kind, run, planned.sequence);
    crashPoint('catalog.after-job');
  }

  /** What a mover is to be hinted at: also when the plan was there before, whose job may have been lost on the way. */
  async #decide(run: string): Promise<{ kind: string; sequence: number } | undefined> {
    const request = this.view.openRun(run)?.state.request;
    if (request === undefined) return undefined;
    const [loaded, { facts, collections }] = await Promise.all([
      this.histories.runs.load(run),
      this.#gather(request),
    ]);
    const { state } = loaded;
    const { kind } = request;
    if (isOver(state)) return undefined;
    if (state.plan !== undefined)
      return state.phase === 'planned' ? { kind, sequence: loaded.head.sequence } : undefined;
    const decision = decidePlan(state, facts);
    switch (decision.kind) {
      case 'nothing':
        return undefined;
      case 'wait':
        this.log.debug('waits until the run before it is over', { for: decision.for });
        return undefined;
      case 'append': {
        crashPoint('catalog.before-plan');
        const { heads, repeated } = await appendDecided(
          this.eventLog,
          decision.events,
          expectedOf(loaded, collections),
          {
            time: instantOf(this.clock.now()),
            actor: this.identity.actor,
            correlationId: run,
            causationId: loaded.lastEvent,
          },
        );
        crashPoint('catalog.after-plan');
        const [first] = decision.events;
        if (!repeated) this.#tell(decision.events);
        if (first?.type !== 'run.planned') return undefined;
        return { kind, sequence: heads[0]?.sequence ?? 0 };
      }
    }
  }

  #tell(events: readonly AnyDomainEvent[]): void {
    for (const { type, data } of events) {
      if (type === 'run.refused') this.log.info('refused', { failure: data.failure });
      if (type !== 'run.planned') continue;
      const { plan } = data;
      const shape =
        plan.kind === 'backup' ? { backup: plan.type, parent: plan.parent, reason: plan.reason } : {};
      this.log.info('planned', { kind: plan.kind, ...shape });
    }
  }

  async #gather(request: RunRequest): Promise<Gathered> {
    const repository = this.view.definition('Repository', request.repository);
    if (request.kind === 'backup') {
      const source = this.view.definition('Source', request.source);
      const collections =
        source === undefined || repository === undefined
          ? []
          : [await this.histories.collections.load(collectionIdOf(source.uid, repository.uid))];
      return {
        facts: {
          source,
          repository,
          collections: collections.map(({ state }) => state),
          keepsLog: source !== undefined && keepsLog(source.spec),
        },
        collections,
      };
    }
    if (request.kind === 'sweep') return { facts: { repository, collections: [] }, collections: [] };
    await this.view.current();
    const ids = repository === undefined ? [] : this.view.collectionsIn(repository.uid);
    const collections = await Promise.all(ids.map((id) => this.histories.collections.load(id)));
    return {
      facts: {
        repository,
        collections: collections.map(({ state }) => state),
        ...(request.kind === 'restore' ? { source: this.#sourceOf(request, collections) } : {}),
      },
      collections,
    };
  }

  /** The source whose backup is meant, as it is defined today, if it still is. */
  #sourceOf(
    { source: name, backup }: Extract<RunRequest, { kind: 'restore' }>,
    collections: readonly Loaded<CollectionState>[],
  ) {
    if (backup === undefined) return name === undefined ? undefined : this.view.definition('Source', name);
    const owner = collections.find(({ state }) =>
      [...state.backups.keys()].some(
        (id) => id === backup || id.startsWith(backup) || id.startsWith(`bkp-${backup}`),
      ),
    );
    const place = owner?.state.place;
    const source = place === undefined ? undefined : this.view.definition('Source', place.source);
    return source?.uid === place?.sourceUid ? source : undefined;
  }
}

/** A run, and those that have waited for the same place longer. */
function samePlaceAs(open: OpenRun): (one: OpenRun) => boolean {
  const place = placeOf(open.state);
  return (one) =>
    one.state.run === open.state.run ||
    (place !== NO_PLACE &&
      one.state.phase === 'requested' &&
      one.requested < open.requested &&
      placeOf(one.state) === place);
}

const NO_PLACE = '';

/**
 * What a requested run may have to wait for: source and repository, logs apart from data. Copy-only runs and other kinds
 * wait for nobody.
 */
function placeOf({ request }: RunState): string {
  if (request?.kind !== 'backup') return NO_PLACE;
  const { source, repository, type, copyOnly } = request;
  const isApart = copyOnly && (type === 'full' || type === 'log');
  return isApart ? NO_PLACE : placeName(source, repository, type);
}

function placeName(source: string, repository: string, type: BackupType): string {
  return `${source}/${repository}/${type === 'log' ? 'log' : 'data'}`;
}

/** Runs that wait there are not looked at until this one is over; what the decision loads has the last word. */
function placeTakenBy({ state: { plan } }: OpenRun): string | undefined {
  const takes = plan?.kind === 'backup' && !plan.copyOnly;
  return takes ? placeName(plan.source.name, plan.repository.name, plan.type) : undefined;
}

function expectedOf(run: Loaded<RunState>, collections: readonly Loaded<CollectionState>[]): ExpectedHead[] {
  return [
    { aggregate: { type: 'run', id: run.state.run }, head: run.head },
    ...collections.map(({ state, head }) => ({
      aggregate: { type: 'collection' as const, id: state.collection },
      head,
    })),
  ];
}
