import { collectionIdOf, domainEvent, type AnyDomainEvent, type RunRequest } from '@catena/events';
import { decidePlan, type CollectionState, type PlanningFacts } from '@catena/chain';
import { jobKindOf, type AggregateHead, type EventLog } from '@catena/event-log';
import { isOver, placeKey, type Place, type RunState } from '@catena/run';
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
import { admitOpenRuns, behindOthers } from './admit-open-runs.ts';
import { LimitsInForce } from './limits-in-force.ts';
import { jobOf, poolOfPlan } from './mover-pool.ts';
import { SinglePass } from './single-pass.ts';
import { WaitNotes } from './wait-notes.ts';
import { placeOf, waitingLine } from './waiting-line.ts';

interface Gathered {
  readonly facts: PlanningFacts;
  readonly collections: readonly Loaded<CollectionState>[];
}

/** What a mover is hinted at. */
interface Hint {
  readonly kind: string;
  readonly pool: string;
  /** Of the run's newest event. */
  readonly sequence: number;
}

/** A run is let in under limits. */
interface Admission {
  /** Where the history of admissions ends; it moves with each that is appended. */
  readonly gate: { head: AggregateHead };
  readonly places: readonly Place[];
}

/** Decides what requested runs must be, and hints movers at them. */
@Injectable()
export class PlannerService {
  readonly #pass = new SinglePass(() => this.#admit());

  constructor(
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(Histories) private readonly histories: Histories,
    @Inject(LogView) private readonly view: LogView,
    @Inject(JobBoard) private readonly jobs: JobBoard,
    @Inject(WaitNotes) private readonly notes: WaitNotes,
    @Inject(ServiceIdentity) private readonly identity: ServiceIdentity,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  /** Plans a run whose request has the sequence; those that wait for the same place longer come first. */
  async planRequested(run: string, sequence: number): Promise<void> {
    await this.view.reached(sequence);
    const open = this.view.openRun(run);
    if (open === undefined) return;
    if (this.view.hasLimits) return this.#soon();
    const place = placeOf(open.state);
    await this.#planInOrder(
      (one) => one.state.run === run || (place !== undefined && placeOf(one.state) === place),
    );
  }

  /**
   * Plans whatever was requested and is not planned, in order.
   * @param sequence to have seen: of the run's end that others may have waited for.
   */
  async planWaiting(sequence: number): Promise<void> {
    await this.view.reached(sequence);
    if (this.view.hasLimits) await this.#pass.run();
    else await this.#planInOrder(() => true);
  }

  /** Many requests come at once, and one look is enough for all of them. What goes wrong is done again by the reconciler. */
  #soon(): void {
    this.#pass
      .run()
      .catch((error: unknown) => this.log.warn('runs were not admitted and are again', { error }));
  }

  #limits(): LimitsInForce {
    return new LimitsInForce((kind, name) => this.view.definition(kind, name));
  }

  async #planInOrder(wanted: (one: OpenRun) => boolean): Promise<void> {
    const { free, behind } = waitingLine(this.view.openRuns());
    for (const { state } of free.filter(wanted))
      await this.#planOne(state.run, (run) => untilNoConflict(() => this.#decide(run)));
    await this.notes.say(behindOthers(behind.filter(({ one }) => wanted(one))));
  }

  /**
   * Plans those that the limits let in. Each takes its place in an append that expects the one before it, so however many
   * catalogs look at once, no more are let in than there is room for (rule 3.11).
   */
  async #admit(): Promise<void> {
    await untilNoConflict(async () => {
      const fence = await this.eventLog.head(LIMITS);
      await this.view.reached(fence.sequence);
      const { admitted, held } = admitOpenRuns(this.view.openRuns(), this.#limits(), this.clock.now());
      const gate = { head: fence };
      for (const { run, places } of admitted)
        await this.#planOne(run, (one) => this.#decide(one, { gate, places }));
      await this.notes.say(held);
    });
  }

  async #planOne(run: string, decide: (run: string) => Promise<Hint | undefined>): Promise<void> {
    await withLogFields({ run }, async () => {
      const hint = await decide(run);
      if (hint === undefined) return;
      await this.jobs.put(jobKindOf(hint.kind, hint.pool), run, hint.sequence);
      crashPoint('catalog.after-job');
    });
  }

  /** What a mover is to be hinted at: also when the plan was there before, whose job may have been lost on the way. */
  async #decide(run: string, admission?: Admission): Promise<Hint | undefined> {
    const request = this.view.openRun(run)?.state.request;
    if (request === undefined) return undefined;
    const [loaded, { facts, collections }] = await Promise.all([
      this.histories.runs.load(run),
      this.#gather(request),
    ]);
    const { state } = loaded;
    if (isOver(state)) return undefined;
    if (state.plan !== undefined)
      return state.phase === 'planned'
        ? { kind: jobOf(request), pool: poolOfPlan(state.plan), sequence: loaded.head.sequence }
        : undefined;
    const decision = decidePlan(state, facts);
    switch (decision.kind) {
      case 'nothing':
        return undefined;
      case 'wait':
        this.log.debug('waits until the run before it is over', { for: decision.for });
        return undefined;
      case 'append': {
        crashPoint('catalog.before-plan');
        const [first] = decision.events;
        const planned = first?.type === 'run.planned' ? first.data.plan : undefined;
        const admitted = planned === undefined ? undefined : admission;
        const { heads, repeated } = await appendDecided(
          this.eventLog,
          [...decision.events, ...admissionEvents(run, admitted)],
          [
            ...expectedOf(loaded, collections),
            ...(admitted ? [{ aggregate: LIMITS, head: admitted.gate.head }] : []),
          ],
          {
            time: instantOf(this.clock.now()),
            actor: this.identity.actor,
            correlationId: run,
            causationId: loaded.lastEvent,
          },
        );
        crashPoint('catalog.after-plan');
        if (admitted && admitted.places.length > 0) admitted.gate.head = heads.at(-1) ?? admitted.gate.head;
        if (!repeated) this.#tell(decision.events);
        if (planned === undefined) return undefined;
        return { kind: jobOf(request), pool: poolOfPlan(planned), sequence: heads[0]?.sequence ?? 0 };
      }
    }
  }

  #tell(events: readonly AnyDomainEvent[]): void {
    for (const { type, data } of events) {
      if (type === 'run.refused') this.log.info('refused', { failure: data.failure });
      if (type !== 'run.planned') continue;
      const { plan } = data;
      const shape =
        plan.kind === 'backup'
          ? { backup: plan.type, parent: plan.parent, reason: plan.reason }
          : plan.kind === 'compose'
            ? { from: plan.from }
            : {};
      this.log.info('planned', { kind: plan.kind, ...shape });
    }
  }

  async #gather(request: RunRequest): Promise<Gathered> {
    const repository = this.view.definition('Repository', request.repository);
    if (request.kind === 'backup' || request.kind === 'compose') {
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

const LIMITS = { type: 'limits', id: 'platform' } as const;

function admissionEvents(run: string, admission: Admission | undefined): AnyDomainEvent[] {
  if (admission === undefined || admission.places.length === 0) return [];
  return [domainEvent('limits.run-admitted', LIMITS.id, { run, places: admission.places.map(placeKey) })];
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
