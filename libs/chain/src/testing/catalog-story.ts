import type {
  AnyDomainEvent,
  BackupPlan,
  BackupType,
  ComposePlan,
  DefinitionSnapshot,
  Failure,
  ManifestReport,
  MoverReport,
  RunRequest,
} from '@catena/events';
import { collectionIdOf } from '@catena/events';
import { claim, evolveRun, initialRun, requestRun, type Decision, type RunState } from '@catena/run';
import {
  evolveCollectionWith,
  initialCollection,
  type CollectionState,
} from '../collection/collection-state.ts';
import { nextPosition } from '../position.ts';
import { initialRepository } from '../repository-state.ts';
import { decidePlan, type PlanningDecision } from '../run/decide-plan.ts';
import { decideReport } from '../run/decide-report.ts';
import type { ReportDecision } from '../run/report-decision.ts';

/** The source and the repository of a story, as definitions stood. */
export const storySource: DefinitionSnapshot = { uid: 'src-1', name: 'documents', generation: 1, spec: {} };
export const storyRepository: DefinitionSnapshot = { uid: 'rep-1', name: 'vault', generation: 1, spec: {} };

export const passingFailure: Failure = { code: 'source.busy', message: 'busy', retryable: true };
export const finalFailure: Failure = { code: 'source.gone', message: 'gone', retryable: false };

/** What a scheduler asks for. */
export interface AskedBackup {
  readonly type: BackupType;
  readonly copyOnly?: boolean;
  readonly whenNoFull?: 'full' | 'fail';
  readonly whenHistoryLost?: 'full' | 'fail';
  readonly into?: string;
}

/**
 * Plays a chain catalog and a mover over one collection, with a clock that moves a minute with every backup. The
 * decisions are the real ones; only time, log and bytes are left out.
 */
export class CatalogStory {
  collection: CollectionState = initialCollection(collectionIdOf(storySource.uid, storyRepository.uid));
  readonly runs = new Map<string, RunState>();
  readonly events: AnyDomainEvent[] = [];
  repository = storyRepository;
  family = 'family-1';
  /** A source with a log: its positions are its own, ten further with every backup. */
  keepsLog = false;
  lsn = 100;
  fork: { id: string; parent?: string; at?: string } | undefined;
  #minutes = 0;

  /** Asks for a backup and has it planned. */
  ask(run: string, asked: AskedBackup): PlanningDecision {
    const request: RunRequest = {
      kind: 'backup',
      source: storySource.name,
      repository: storyRepository.name,
      copyOnly: false,
      ...asked,
    };
    return this.askFor(run, request);
  }

  askFor(run: string, request: RunRequest): PlanningDecision {
    this.#append(this.#accepted(requestRun(this.run(run), { request })));
    return this.plan(run);
  }

  plan(run: string): PlanningDecision {
    const decision = decidePlan(this.run(run), {
      source: storySource,
      repository: this.repository,
      collections: [this.collection],
      family: this.collection.place === undefined ? undefined : this.family,
      keepsLog: this.keepsLog,
    });
    if (decision.kind === 'append') this.#append(decision.events);
    return decision;
  }

  /** A mover claims the run. */
  claim(run: string, mover = 'mover-1'): void {
    this.#append(this.#accepted(claim(this.run(run), mover, '9999-01-01T00:00:00.000Z')));
  }

  /** The mover that holds the run reports. */
  report(run: string, outcome: MoverReport['outcome']): ReportDecision {
    const { attempt, mover } = this.run(run);
    return this.reportAs({ run, attempt, mover: mover ?? 'nobody', outcome });
  }

  reportAs(report: MoverReport): ReportDecision {
    const facts = {
      run: this.run(report.run),
      collections: [this.collection],
      repository: initialRepository(storyRepository.uid),
    };
    const decision = decideReport(facts, report, this.now());
    if (decision.accepted) this.#append(decision.appends.flat());
    return decision;
  }

  /** Claims the run and reports it as completed. */
  complete(run: string): ReportDecision {
    if (this.run(run).phase !== 'running') this.claim(run);
    this.#minutes += 1;
    this.lsn += 10;
    return this.report(run, this.completedOutcome(run));
  }

  /** The whole life of a backup; its id is `bkp-<run>` without `run-`. */
  take(run: string, type: BackupType, copyOnly = false): BackupPlan {
    this.ask(run, { type, copyOnly });
    this.complete(run);
    return this.planOf(run);
  }

  /** Asks for a full that is composed, and has it planned. */
  askComposed(run: string, whenNoFull: 'full' | 'fail' = 'fail'): PlanningDecision {
    const { name: source } = storySource;
    return this.askFor(run, { kind: 'compose', source, repository: storyRepository.name, whenNoFull });
  }

  composePlanOf(run: string): ComposePlan {
    const { plan } = this.run(run);
    if (plan?.kind !== 'compose') throw new Error(`${run} has no plan to compose`);
    return plan;
  }

  completedOutcome(run: string): Extract<MoverReport['outcome'], { kind: 'completed' }> {
    const statistics = { files: 1, bytes: 10, bytesRead: 10, bytesAdded: 5, milliseconds: 1000 };
    return { kind: 'completed', statistics, warnings: [], warningCount: 0, manifest: this.manifestOf(run) };
  }

  /** The manifest that a mover writes for the plan: its closure is its parent's, or its base, and nothing for a full. */
  manifestOf(run: string): ManifestReport {
    const made = this.run(run).plan;
    if (made?.kind === 'compose') return this.#composedManifest(made, run);
    const plan = this.planOf(run);
    const depends = plan.parent ?? plan.base;
    const closure =
      depends === undefined ? [] : [...(this.collection.backups.get(depends)?.closure ?? []), depends];
    const { collection, backup, type, copyOnly, parent, base, chain } = plan;
    return {
      name: `${backup}.manifest`,
      hash: `hash-${backup}`,
      run,
      backup,
      collection,
      source: plan.source.name,
      sourceUid: plan.source.uid,
      type,
      copyOnly,
      parent,
      base,
      chain,
      family: this.family,
      position: this.keepsLog
        ? String(this.lsn)
        : (plan.position ?? nextPosition(this.collection.lastPosition)),
      ...this.#historyOf(plan),
      startedAt: this.now(),
      asOf: this.now(),
      finishedAt: this.now(),
      closure,
      files: 1,
      bytes: 10,
      bytesAdded: 5,
      keyIds: [],
      warningCount: 0,
    };
  }

  /** Of a composed full: it shows what it was composed from and needs nothing. */
  #composedManifest(plan: ComposePlan, run: string): ManifestReport {
    const { backup, collection, position, family } = plan;
    const shown = this.collection.backups.get(plan.from);
    return {
      name: `${backup}.manifest`,
      hash: `hash-${backup}`,
      run,
      backup,
      collection,
      source: plan.source.name,
      sourceUid: plan.source.uid,
      type: 'full',
      copyOnly: false,
      chain: backup,
      family,
      position,
      startedAt: this.now(),
      asOf: shown?.asOf ?? this.now(),
      finishedAt: this.now(),
      closure: [],
      files: 1,
      bytes: 10,
      bytesAdded: 10,
      keyIds: [],
      warningCount: 0,
    };
  }

  #historyOf(plan: BackupPlan): Partial<ManifestReport> {
    const fork =
      this.fork === undefined
        ? {}
        : { fork: this.fork.id, forkParent: this.fork.parent, forkAt: this.fork.at };
    if (!this.keepsLog) return fork;
    return plan.type === 'log'
      ? { ...fork, start: plan.start }
      : { ...fork, archivePoint: String(this.lsn - 5) };
  }

  planOf(run: string): BackupPlan {
    const { plan } = this.run(run);
    if (plan?.kind !== 'backup') throw new Error(`${run} has no backup plan`);
    return plan;
  }

  run(run: string): RunState {
    return this.runs.get(run) ?? initialRun(run);
  }

  now(): string {
    return new Date(Date.UTC(2026, 0, 1) + this.#minutes * 60_000).toISOString();
  }

  /** Appends events that no run of the story decided. */
  append(...events: readonly AnyDomainEvent[]): void {
    this.#append(events);
  }

  #append(events: readonly AnyDomainEvent[]): void {
    this.events.push(...events);
    for (const event of events) {
      if (event.type.startsWith('run.')) {
        this.runs.set(event.aggregateId, evolveRun(this.run(event.aggregateId), event));
      }
    }
    const ours = events.filter((event) => event.aggregateId === this.collection.collection);
    this.collection = evolveCollectionWith(this.collection, ours);
  }

  #accepted(decision: Decision): readonly AnyDomainEvent[] {
    if (!decision.accepted) throw new Error(decision.refusal.message);
    return decision.events;
  }
}
