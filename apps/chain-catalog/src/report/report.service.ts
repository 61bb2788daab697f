import {
  aggregateTypeOf,
  CatenaError,
  type AnyDomainEvent,
  type MoverReport,
  type RunPlan,
} from '@catena/events';
import { decideReport, type CollectionState, type RepositoryState } from '@catena/chain';
import type { EventLog } from '@catena/event-log';
import type { RunState } from '@catena/run';
import {
  aggregatesOf,
  appendInSteps,
  CLOCK,
  crashPoint,
  EVENT_LOG,
  instantOf,
  Log,
  ServiceIdentity,
  untilNoConflict,
  type Clock,
  type ExpectedHead,
  type Loaded,
} from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { Histories } from '../history/histories.ts';
import { LogView } from '../log-view/log-view.ts';

interface Gathered {
  readonly run: Loaded<RunState>;
  readonly collections: readonly Loaded<CollectionState>[];
  readonly repository: Loaded<RepositoryState>;
}

/** The commit point (architecture.md section 5): a mover's report becomes outcome, backup and collection state together. */
@Injectable()
export class ReportService {
  constructor(
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(Histories) private readonly histories: Histories,
    @Inject(LogView) private readonly view: LogView,
    @Inject(ServiceIdentity) private readonly identity: ServiceIdentity,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  /** Answers when the log has it; a superseded attempt is told so. */
  async accept(report: MoverReport): Promise<{ accepted: boolean; reason?: string; sequence: number }> {
    return await untilNoConflict(() => this.#decide(report));
  }

  async #decide(report: MoverReport): Promise<{ accepted: boolean; reason?: string; sequence: number }> {
    const gathered = await this.#gather(report);
    const { run, collections, repository } = gathered;
    const now = instantOf(this.clock.now());
    const decision = decideReport(
      { run: run.state, collections: collections.map(({ state }) => state), repository: repository.state },
      report,
      now,
      run.state.limits?.retry,
    );
    if (!decision.accepted) {
      this.log.info('a report was refused', { attempt: report.attempt, refusal: decision.refusal });
      return { accepted: false, reason: decision.refusal.code, sequence: run.head.sequence };
    }
    if (decision.appends.length === 0) return { accepted: true, sequence: run.head.sequence };
    crashPoint('catalog.before-outcome');
    const { sequence, repeated } = await appendInSteps(
      this.eventLog,
      decision.appends,
      [...expectedOf(gathered), ...(await this.#backupHeads(decision.appends.flat()))],
      { time: now, actor: this.identity.actor, correlationId: report.run, causationId: run.lastEvent },
    );
    crashPoint('catalog.after-outcome');
    if (!repeated)
      this.log.info('recorded an outcome', {
        attempt: report.attempt,
        outcome: report.outcome.kind,
        sequence,
      });
    return { accepted: true, sequence };
  }

  async #gather(report: MoverReport): Promise<Gathered> {
    const run = await this.histories.runs.load(report.run);
    const { plan } = run.state;
    if (plan === undefined) {
      throw new CatenaError('catalog.run-without-plan', `The run ${report.run} was never planned.`, {
        remedy: 'Drop the job: this mover and this catalog do not read the same log.',
      });
    }
    const [collections, repository] = await Promise.all([
      this.#collectionsOf(plan),
      this.histories.repositories.load(plan.repository.uid),
    ]);
    return { run, collections, repository };
  }

  async #collectionsOf(plan: RunPlan): Promise<Loaded<CollectionState>[]> {
    if ('collection' in plan) return [await this.histories.collections.load(plan.collection)];
    if (plan.kind === 'sweep') return [];
    await this.view.current();
    const ids = this.view.collectionsIn(plan.repository.uid);
    return await Promise.all(ids.map((id) => this.histories.collections.load(id)));
  }

  /** Where backups stand that this decision adds to; one that is completed now must not be there yet. */
  async #backupHeads(events: readonly AnyDomainEvent[]): Promise<ExpectedHead[]> {
    const older = events.filter(
      ({ type }) => aggregateTypeOf(type) === 'backup' && type !== 'backup.completed',
    );
    return await Promise.all(
      aggregatesOf(older).map(async (aggregate) => ({
        aggregate,
        head: await this.eventLog.head(aggregate),
      })),
    );
  }
}

function expectedOf({ run, collections, repository }: Gathered): ExpectedHead[] {
  return [
    { aggregate: { type: 'run', id: run.state.run }, head: run.head },
    ...collections.map(({ state, head }) => ({
      aggregate: { type: 'collection' as const, id: state.collection },
      head,
    })),
    { aggregate: { type: 'repository', id: repository.state.repository }, head: repository.head },
  ];
}
