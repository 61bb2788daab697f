import { CatenaError, pruneRunId, type AnyDomainEvent } from '@catena/events';
import {
  decideExpiry,
  deletionRefused,
  evolveCollectionWith,
  requestPrune,
  ZoneCalendar,
  type CollectedBackup,
  type CollectionRules,
  type CollectionState,
} from '@catena/chain';
import type { EventLog } from '@catena/event-log';
import type { RunState } from '@catena/run';
import {
  appendInSteps,
  BackgroundWork,
  CLOCK,
  crashPoint,
  EVENT_LOG,
  instantOf,
  Log,
  pause,
  ServiceIdentity,
  untilNoConflict,
  type Clock,
  type Loaded,
} from '@catena/service';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Histories } from '../history/histories.ts';
import { LogView } from '../log-view/log-view.ts';
import { backupsRead } from './backups-read.ts';
import { clocksSay } from './held-back.ts';
import { RetentionView } from './retention-view.ts';
import { rulesByCollection } from './rules-by-collection.ts';

const ROUND_MILLISECONDS = 1_000;
/** A batch of the log takes 1000 messages; each part of a decision is true by itself. */
const EVENTS_PER_APPEND = 500;

/**
 * Decides what expires and what is condemned: after each run that ended, once a day, and when a grace is over
 * (rules.md 5.4). With what is condemned a prune is asked for, in the same append.
 */
@Injectable()
export class RetentionService implements OnApplicationBootstrap {
  /** By collection, in milliseconds since 1970. */
  readonly #decidedAt = new Map<string, number>();
  readonly #heldBack = new Map<string, string>();
  #clocks: string | undefined;
  #rules:
    { readonly version: number; readonly byCollection: ReadonlyMap<string, CollectionRules> } | undefined;

  constructor(
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(Histories) private readonly histories: Histories,
    @Inject(LogView) private readonly logView: LogView,
    @Inject(RetentionView) private readonly view: RetentionView,
    @Inject(ServiceIdentity) private readonly identity: ServiceIdentity,
    @Inject(BackgroundWork) private readonly work: BackgroundWork,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.work.start('retention', async (signal, healthy) => {
      await this.view.started(signal);
      while (!signal.aborted) {
        await this.round();
        healthy();
        await pause(ROUND_MILLISECONDS, signal);
      }
    });
  }

  /** Why nothing expires though policies say so; undefined when nothing is held back. */
  heldBack(): string | undefined {
    return this.#clocks ?? this.#heldBack.values().next().value;
  }

  /** Decides about every collection that is due. One that cannot be decided about does not stop the others. */
  async round(): Promise<void> {
    const failures: unknown[] = [];
    for (const collection of new Set([...this.#rulesNow().keys(), ...this.view.condemned()])) {
      if (!this.#isDue(collection)) continue;
      this.view.takeChange(collection);
      try {
        await this.decide(collection);
        this.#decidedAt.set(collection, this.clock.now());
      } catch (error) {
        this.view.putBackChange(collection);
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** One decision about a collection, and what follows from it. Deciding again appends nothing. */
  async decide(collection: string): Promise<void> {
    await untilNoConflict(async () => {
      const loaded = await this.histories.collections.load(collection);
      // After the collection: a run that reads a backup has moved its version, and a policy that was changed counts.
      const last = await this.eventLog.lastSequence();
      await this.view.reached(last);
      const rules = this.#rulesNow().get(collection);
      const now = this.clock.now();
      const expiry = this.#expiryOf(loaded.state, rules, now);
      const after = evolveCollectionWith(loaded.state, expiry);
      const run = await this.#pruneRun(loaded, rules, now);
      const asked = this.#mayBePruned(loaded.state) ? requestPrune(after, run.state) : [];
      if (expiry.length + asked.length === 0) return;
      crashPoint('catalog.before-retention');
      await appendInSteps(
        this.eventLog,
        inParts([...expiry, ...asked]),
        [
          { aggregate: { type: 'collection', id: collection }, head: loaded.head },
          { aggregate: { type: 'run', id: run.state.run }, head: run.head },
        ],
        {
          time: instantOf(now),
          actor: this.identity.actor,
          correlationId: run.state.run,
          causationId: `${this.identity.actor}/${loaded.lastEvent}`,
        },
      );
      crashPoint('catalog.after-retention');
      this.#tell(collection, expiry, asked.length > 0);
    });
  }

  #rulesNow(): ReadonlyMap<string, CollectionRules> {
    const version = this.logView.definitionsChanged;
    if (this.#rules?.version === version) return this.#rules.byCollection;
    const byCollection = rulesByCollection(this.logView.schedules(), (kind, name) =>
      this.logView.definition(kind, name),
    );
    this.#rules = { version, byCollection };
    for (const collection of this.#heldBack.keys())
      if (!byCollection.has(collection)) this.#heldBack.delete(collection);
    return byCollection;
  }

  /** After a change, once a day, and when a grace is over. */
  #isDue(collection: string): boolean {
    const decidedAt = this.#decidedAt.get(collection);
    if (decidedAt === undefined || this.view.hasChanged(collection)) return true;
    const now = this.clock.now();
    const calendar = new ZoneCalendar(this.#rulesNow().get(collection)?.timeZone);
    return (
      calendar.dayOf(decidedAt) !== calendar.dayOf(now) || this.view.graceEnded(collection, decidedAt, now)
    );
  }

  #expiryOf(
    state: CollectionState,
    rules: CollectionRules | undefined,
    now: number,
  ): readonly AnyDomainEvent[] {
    this.#heldBack.delete(state.collection);
    if (rules?.contradiction !== undefined) this.#heldBack.set(state.collection, rules.contradiction);
    if (rules?.policy === undefined) return [];
    const clocks = clocksSay(this.view.newest, now);
    this.#clocks = typeof clocks === 'string' ? undefined : clocks.because;
    if (clocks !== 'agree') return [];
    const facts = {
      policy: rules.policy,
      isManual: ({ run }: CollectedBackup) => !rules.schedules.has(this.view.scheduleOf(run) ?? ''),
      holdsOf: this.#holds(),
    };
    try {
      return decideExpiry(state, facts, { now, calendar: new ZoneCalendar(rules.timeZone) });
    } catch (error) {
      if (!(error instanceof CatenaError) || error.retryable) throw error;
      this.#heldBack.set(state.collection, error.message);
      this.log.warn('nothing expires', { collection: state.collection, error });
      return [];
    }
  }

  /** Runs that read a backup now. */
  #holds(): (backup: CollectedBackup) => readonly string[] {
    const holds = new Map<string, string[]>();
    for (const { state } of this.logView.openRuns())
      for (const backup of backupsRead(state.plan))
        holds.set(backup, [...(holds.get(backup) ?? []), `being read by ${state.run}`]);
    return ({ backup }) => holds.get(backup) ?? [];
  }

  /** Not while it is being pruned, and not where it would be refused: what is condemned there waits. */
  #mayBePruned({ collection, place }: CollectionState): boolean {
    const repository = place && this.logView.definition('Repository', place.repository);
    if (repository !== undefined && deletionRefused(repository) !== undefined) return false;
    return !this.logView
      .openRuns()
      .some(({ state: { request } }) => request?.kind === 'prune' && request.collection === collection);
  }

  async #pruneRun(
    { state, head }: Loaded<CollectionState>,
    rules: CollectionRules | undefined,
    now: number,
  ): Promise<Loaded<RunState>> {
    const day = new ZoneCalendar(rules?.timeZone).dayOf(now);
    return await this.histories.runs.load(pruneRunId(state.collection, head.sequence, String(day)));
  }

  #tell(collection: string, events: readonly AnyDomainEvent[], prune: boolean): void {
    const count = (reason: string) =>
      events.filter(({ type, data }) => type === 'collection.backup-unusable' && data.reason === reason)
        .length;
    this.log.info('decided what is kept', {
      collection,
      expired: count('expired'),
      condemned: count('condemned'),
      prune,
    });
  }
}

/** Each part is true by itself; the prune is asked for with the last. */
function inParts(events: readonly AnyDomainEvent[]): AnyDomainEvent[][] {
  const parts: AnyDomainEvent[][] = [];
  for (let from = 0; from < events.length; from += EVENTS_PER_APPEND)
    parts.push(events.slice(from, from + EVENTS_PER_APPEND));
  return parts;
}
