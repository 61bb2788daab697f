import {
  backupIdOfRun,
  domainEvent,
  type AnyDomainEvent,
  type RunPlan,
  type RunRequest,
} from '@catena/events';
import { backupMade, placeOf } from './backup-made.ts';
import { claimPlace, placeClaimed, planOf } from './backup-planned.ts';
import type { Recorder } from './recorder.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { KnownBackup, KnownCollection } from './world.ts';

/** How many backups of a collection are remembered. */
const REMEMBERED = 60;

/** What happens to one run, one decision at a time. */
export class RunStory {
  readonly run: string;
  readonly #request: RunRequest;
  readonly #collection: KnownCollection;
  readonly #random: SeededRandom;
  #phase: 'requested' | 'planned' | 'running' | 'over' = 'requested';
  #attempt = 0;
  #cancelling = false;
  #planned: KnownBackup | undefined;

  constructor(run: string, request: RunRequest, collection: KnownCollection, random: SeededRandom) {
    this.run = run;
    this.#request = request;
    this.#collection = collection;
    this.#random = random;
  }

  get over(): boolean {
    return this.#phase === 'over';
  }

  /** What is decided next; nothing while it has to wait. */
  next(recorder: Recorder): { actor: string; events: AnyDomainEvent[] } {
    switch (this.#phase) {
      case 'requested':
        return { actor: 'chain-catalog:one', events: this.#plan() };
      case 'planned':
        return this.#claimOrCancel();
      case 'running':
        return { actor: this.#mover, events: this.#report(recorder) };
      case 'over':
        return { actor: '', events: [] };
    }
  }

  get #mover(): string {
    return `mover:${this.#attempt % 3}`;
  }

  #plan(): AnyDomainEvent[] {
    const waits = this.#request.kind === 'backup' && !this.#request.copyOnly;
    if (waits && this.#collection.plannedRun !== undefined) return [];
    if (this.#random.chance(0.02))
      return this.#end('run.refused', { failure: failureOf('chain.refused', false) });
    this.#phase = 'planned';
    const opening = this.#collection.opened
      ? []
      : [domainEvent('collection.opened', this.#collection.id, placeOf(this.#collection))];
    if (this.#request.kind !== 'backup')
      return [domainEvent('run.planned', this.run, { plan: this.#otherPlan() })];
    this.#collection.opened = true;
    if (waits) this.#collection.plannedRun = this.run;
    const planned = claimPlace(this.#collection, this.run, this.#request.type, this.#request.copyOnly);
    this.#planned = planned;
    return [
      ...opening,
      domainEvent('run.planned', this.run, { plan: planOf(this.#collection, planned) }),
      placeClaimed(this.#collection, planned),
    ];
  }

  #otherPlan(): RunPlan {
    const repository = this.#collection.repository.snapshot;
    const request = this.#request;
    switch (request.kind) {
      case 'restore': {
        const { backup = '', target, include, overwrite } = request;
        const source = this.#collection.source.snapshot;
        return {
          kind: 'restore',
          collection: this.#collection.id,
          backup,
          repository,
          source,
          target,
          include,
          overwrite,
        };
      }
      case 'verify': {
        const backups = request.backup === undefined ? [] : [request.backup];
        return { kind: 'verify', repository, backups, depth: request.depth };
      }
      default:
        return { kind: 'rescan', repository };
    }
  }

  #claimOrCancel(): { actor: string; events: AnyDomainEvent[] } {
    if (this.#cancelling) return { actor: 'chain-catalog:one', events: this.#cancelled() };
    if (this.#random.chance(0.02)) return { actor: 'person:ada', events: this.#cancelRequested() };
    this.#phase = 'running';
    this.#attempt++;
    return {
      actor: this.#mover,
      events: [domainEvent('run.claimed', this.run, { attempt: this.#attempt, mover: this.#mover })],
    };
  }

  #report(recorder: Recorder): AnyDomainEvent[] {
    if (this.#cancelling) return this.#cancelled();
    const attempt = this.#attempt;
    const mover = this.#mover;
    const chance = this.#random.next();
    if (chance < 0.02) return this.#cancelRequested();
    if (chance < 0.04) {
      this.#phase = 'planned';
      return [domainEvent('run.released', this.run, { attempt, mover, reason: 'the mover stops' })];
    }
    if (chance < 0.08 && attempt < 3) {
      this.#phase = 'planned';
      const failure = failureOf('files.unreadable', true);
      return [
        domainEvent('run.attempt-failed', this.run, {
          attempt,
          mover,
          failure,
          retryAt: recorder.instant(60_000),
        }),
      ];
    }
    if (chance < 0.09 && attempt < 3 && this.#planned?.type === 'incremental')
      return this.#replanned(recorder);
    if (chance < 0.11) {
      const ended = this.#end('run.failed', { attempt, mover, failure: failureOf('store.full', false) });
      return [...ended, ...this.#dropPlan('failed')];
    }
    return this.#completed(recorder);
  }

  /** The source no longer has what an incremental needs: the same run makes a full instead. */
  #replanned(recorder: Recorder): AnyDomainEvent[] {
    this.#phase = 'planned';
    const attempt = this.#attempt;
    const failure = failureOf('source.history-lost', true);
    const dropped = domainEvent('collection.plan-dropped', this.#collection.id, {
      ...{ run: this.run, backup: backupIdOfRun(this.run), reason: 'failed' },
    });
    const full = claimPlace(this.#collection, this.run, 'full', false);
    this.#planned = full;
    return [
      domainEvent('run.attempt-failed', this.run, {
        ...{ attempt, mover: this.#mover, failure, retryAt: recorder.instant(1_000) },
      }),
      domainEvent('run.replanned', this.run, {
        plan: planOf(this.#collection, full),
        reason: failure.message,
      }),
      dropped,
      placeClaimed(this.#collection, full),
    ];
  }

  #completed(recorder: Recorder): AnyDomainEvent[] {
    const warned = this.#random.chance(0.1);
    const warnings = warned
      ? [
          {
            code: 'files.vanished',
            path: `/srv/tab\there/"quoted"\\${this.run}`,
            message: 'It was gone when it was read.',
          },
        ]
      : [];
    const bytes = this.#random.between(1_000, 900_000_000_000);
    const files = this.#random.between(1, 400_000);
    const made = this.#planned;
    const bytesAdded = made?.type === 'full' ? Math.floor(bytes / 2) : Math.floor(bytes / 200);
    const completed = this.#end('run.completed', {
      ...{
        attempt: this.#attempt,
        mover: this.#mover,
        outcome: warned ? 'completedWithWarnings' : 'completed',
      },
      ...{ warnings, warningCount: warnings.length },
      statistics: {
        files,
        bytes,
        bytesRead: bytes,
        bytesAdded,
        milliseconds: this.#random.between(50, 9_000_000),
      },
      ...(made === undefined ? {} : { backup: made.backup }),
    });
    if (made === undefined) return [...completed, ...this.#found(recorder)];
    const asOf = recorder.now;
    const figures = { startedAt: asOf, finishedAt: recorder.instant(900), files, bytes, bytesAdded };
    const known = { ...made, asOf };
    this.#remember(known);
    if (this.#collection.plannedRun === this.run) this.#collection.plannedRun = undefined;
    return [
      ...completed,
      ...backupMade('backup.completed', this.#collection, known, {
        ...figures,
        warningCount: warnings.length,
      }),
      ...this.#aged(),
    ];
  }

  /** What retention says of the oldest backup that is remembered. */
  #aged(): AnyDomainEvent[] {
    const [oldest] = this.#collection.backups;
    if (oldest === undefined || !this.#random.chance(0.15)) return [];
    if (oldest.state !== 'usable' && oldest.state !== 'expired') return [];
    oldest.state = oldest.state === 'usable' ? 'expired' : 'condemned';
    return [
      domainEvent('collection.backup-unusable', this.#collection.id, {
        backup: oldest.backup,
        reason: oldest.state,
      }),
    ];
  }

  /** What a verify or a rescan learnt. */
  #found(recorder: Recorder): AnyDomainEvent[] {
    const { run } = this;
    const request = this.#request;
    if (request.kind === 'verify' && request.backup !== undefined) {
      const known = this.#collection.backups.find(({ backup }) => backup === request.backup);
      if (known === undefined || known.state !== 'usable') return [];
      if (this.#random.chance(0.7)) {
        const { depth } = request;
        return [domainEvent('backup.verified', known.backup, { run, depth, at: recorder.now, bytes: 4_096 })];
      }
      known.state = this.#random.chance(0.5) ? 'missing' : 'damaged';
      const problems = [{ object: 'packs/1', message: 'It does not read back right.', paths: ['a/b'] }];
      return [
        domainEvent('backup.damaged', known.backup, {
          run,
          at: recorder.now,
          problems,
          missing: known.state === 'missing',
        }),
        domainEvent('collection.backup-unusable', this.#collection.id, {
          backup: known.backup,
          reason: known.state,
        }),
      ];
    }
    const missing = this.#collection.backups.find(({ state }) => state === 'missing');
    if (request.kind !== 'rescan' || missing === undefined) return [];
    missing.state = 'usable';
    const figures = {
      startedAt: missing.asOf,
      finishedAt: missing.asOf,
      files: 3,
      bytes: 5_000,
      bytesAdded: 500,
    };
    return backupMade('backup.found', this.#collection, missing, { ...figures, warningCount: 0 });
  }

  #cancelRequested(): AnyDomainEvent[] {
    this.#cancelling = true;
    return [domainEvent('run.cancel-requested', this.run, {})];
  }

  #cancelled(): AnyDomainEvent[] {
    return [...this.#end('run.cancelled', { attempt: this.#attempt }), ...this.#dropPlan('cancelled')];
  }

  #dropPlan(reason: 'failed' | 'cancelled'): AnyDomainEvent[] {
    if (this.#planned === undefined) return [];
    if (this.#collection.plannedRun === this.run) this.#collection.plannedRun = undefined;
    const { backup } = this.#planned;
    return [domainEvent('collection.plan-dropped', this.#collection.id, { run: this.run, backup, reason })];
  }

  #end<T extends 'run.refused' | 'run.failed' | 'run.cancelled' | 'run.completed'>(
    type: T,
    data: Parameters<typeof domainEvent<T>>[2],
  ): AnyDomainEvent[] {
    this.#phase = 'over';
    return [domainEvent(type, this.run, data)];
  }

  #remember(made: KnownBackup): void {
    this.#collection.backups.push(made);
    if (this.#collection.backups.length > REMEMBERED) this.#collection.backups.shift();
  }
}

function failureOf(code: string, retryable: boolean) {
  return { code, message: 'What it needs is not there.', remedy: 'Bring it back.', retryable };
}
