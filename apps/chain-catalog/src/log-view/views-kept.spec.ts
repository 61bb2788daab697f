import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { importLog, MemoryEventLog } from '@catena/event-log';
import type { AnyRecordedEvent } from '@catena/events';
import { plausibleHistory } from '@catena/read-store/testing';
import type { LogFold } from '@catena/service';
import { memoryPorts, testPlatform } from '@catena/service/testing';
import { Histories } from '../history/histories.ts';
import { RetentionView } from '../retention/retention-view.ts';
import { SourceOfEvent } from '../subscriptions/source-of-event.ts';
import { SubscriptionRunner } from '../subscriptions/subscription-runner.ts';
import { LeftoverView } from '../sweep/leftover-view.ts';
import { CatalogFollower } from './catalog-follower.ts';
import { LogView } from './log-view.ts';

const GOLDEN_LOG = fileURLToPath(new URL('../../../../test/golden/log/v1/log.zst', import.meta.url));

/** Everything that the chain catalog folds from the log. */
class Views {
  readonly log: LogView;
  readonly retention: RetentionView;
  readonly leftovers: LeftoverView;
  readonly all: readonly LogFold[];

  constructor() {
    const platform = testPlatform('chain-catalog', 'c1', memoryPorts(), { now: () => 0 });
    const { eventLog, snapshots, work, readiness, log, clock, configuration } = platform;
    const follower = new CatalogFollower(eventLog, snapshots, work, readiness, log);
    this.log = new LogView(follower, clock);
    this.retention = new RetentionView(follower);
    this.leftovers = new LeftoverView(follower);
    const sources = new SourceOfEvent(eventLog, new Histories(eventLog, snapshots), this.log);
    const subscriptions = new SubscriptionRunner(
      ...([follower, eventLog, work, sources, clock, configuration, log] as const),
    );
    this.all = [this.log, this.retention, this.leftovers, subscriptions];
  }

  apply(events: Iterable<AnyRecordedEvent>): void {
    for (const event of events)
      for (const fold of this.all) if (fold.types.includes(event.type)) fold.apply(event);
  }

  /** As a snapshot has them. */
  kept(): Record<string, unknown[]> {
    return Object.fromEntries(
      this.all.map((fold) => [fold.name, JSON.parse(JSON.stringify([...fold.capture()])) as unknown[]]),
    );
  }

  restore(kept: Record<string, unknown[]>): void {
    for (const fold of this.all) for (const page of kept[fold.name] ?? []) fold.restore(page);
  }

  /** What others ask of them. */
  answers(): unknown {
    return {
      runs: this.log.openRuns(),
      schedules: [...this.log.schedules()],
      limits: this.log.hasLimits,
      condemned: [...this.retention.condemned()],
      newest: this.retention.newest,
      littered: this.leftovers.littered(),
    };
  }
}

async function goldenEvents(): Promise<AnyRecordedEvent[]> {
  const log = new MemoryEventLog();
  await importLog(log, () => createReadStream(GOLDEN_LOG));
  const events: AnyRecordedEvent[] = [];
  for await (const event of log.read()) events.push(event);
  return events;
}

/** A plausible history with a subscription beside each schedule, and backups that have expired and can still be had back. */
function* history(seed: number, count: number): Generator<AnyRecordedEvent> {
  for (const event of plausibleHistory(seed, count)) {
    const expires = event.type === 'collection.backup-unusable' && event.sequence % 2 === 0;
    if (expires) yield { ...event, data: { ...event.data, reason: 'expired', undoUntil: event.time } };
    else yield event;
    const defines = event.type === 'definition.applied' && event.data.kind === 'Schedule';
    const deletes = event.type === 'definition.deleted' && event.data.kind === 'Schedule';
    const aggregate = {
      type: 'definition',
      id: event.aggregate.id.replace('schedule-', 'subscription-'),
    } as const;
    if (defines) yield { ...event, aggregate, data: { ...event.data, kind: 'Subscription' } };
    if (deletes) yield { ...event, aggregate, data: { ...event.data, kind: 'Subscription' } };
  }
}

describe('what the chain catalog keeps of the log', () => {
  it.each([1, 2, 3])('is the same from a snapshot as from the first event (history %s)', (seed) => {
    const events = [...history(seed, 4_000)];
    const whole = new Views();
    whole.apply(events);
    for (const cut of [0, 700 * seed, 2_500, events.length]) {
      const before = new Views();
      before.apply(events.slice(0, cut));
      const after = new Views();
      after.restore(before.kept());
      after.apply(events.slice(cut));
      expect(after.answers()).toEqual(whole.answers());
      expect(after.kept()).toEqual(whole.kept());
    }
  });

  it('has been tried with something of everything that is kept', () => {
    const parts = new Set<string>();
    for (const seed of [1, 2, 3]) {
      const views = new Views();
      for (const event of history(seed, 4_000)) {
        views.apply([event]);
        if (event.sequence % 50 > 0) continue;
        for (const [name, pages] of Object.entries(views.kept()))
          for (const page of pages)
            for (const part of Object.keys(page as object)) parts.add(`${name} ${part}`);
      }
    }
    expect([...parts].sort()).toEqual([
      'leftover-view ends',
      'leftover-view repositories',
      'leftover-view runs',
      'log-view collections',
      'log-view definitions',
      'log-view runs',
      'retention-view changed',
      'retention-view condemned',
      'retention-view made',
      'retention-view newest',
      'retention-view origins',
      'retention-view reading',
      'retention-view undoUntil',
      'subscriptions defined',
      'subscriptions firstSeen',
    ]);
  });

  it('is captured as it stands: what comes later does not change it', () => {
    const events = [...history(4, 2_000)];
    const views = new Views();
    views.apply(events.slice(0, 1_000));
    const before = views.kept();
    const captured = views.all.map((fold) => [fold.name, [...fold.capture()]] as const);
    views.apply(events.slice(1_000));
    expect(JSON.parse(JSON.stringify(Object.fromEntries(captured)))).toEqual(before);
  });

  it('is nothing when it was forgotten', () => {
    const views = new Views();
    views.apply(history(5, 1_000));
    for (const fold of views.all) fold.clear();
    expect(views.kept()).toEqual(new Views().kept());
    expect(views.answers()).toEqual(new Views().answers());
  });

  it('is of versions that say how it is written: whoever changes a view raises its version', async () => {
    const views = new Views();
    views.apply(await goldenEvents());
    const kept = views.kept();
    const digests = views.all.map(({ name, version }) => {
      const digest = createHash('sha256').update(JSON.stringify(kept[name])).digest('hex').slice(0, 16);
      return `${name} ${version} ${digest}`;
    });
    expect(digests).toEqual([
      'log-view 1 e107e4f1abaf9ea8',
      'retention-view 1 7f96029749cc93b3',
      'leftover-view 1 964f122a1dc59ece',
      'subscriptions 1 4f53cda18c2baa0c',
    ]);
  });
});
