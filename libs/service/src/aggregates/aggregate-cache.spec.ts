import { beforeEach, describe, expect, it } from '@jest/globals';
import { domainEvent, type AnyDomainEvent, type AnyRecordedEvent } from '@catena/events';
import {
  isConcurrencyConflict,
  MemoryEventLog,
  MemorySnapshotStore,
  type Loaded,
  type ReadOptions,
  type Snapshots,
} from '@catena/event-log';
import { AggregateCache } from './aggregate-cache.ts';
import { appendDecided, appendInSteps, untilNoConflict } from './append-decided.ts';

const context = {
  time: '2026-11-01T00:00:00.000Z',
  actor: 'person:tester',
  correlationId: 'command-1',
  causationId: 'command-1',
};
const exported = (keyId: string) =>
  domainEvent('repository.key-exported', 'rep1', { repository: 'vault', keyId });
const aggregate = { type: 'repository', id: 'rep1' } as const;

/** The log itself, with a note of what was read. */
class NotedLog extends MemoryEventLog {
  readonly reads: (number | undefined)[] = [];

  override read(options: ReadOptions = {}): AsyncIterable<AnyRecordedEvent> {
    this.reads.push(options.from);
    return super.read(options);
  }
}

describe('aggregates', () => {
  let log: NotedLog;
  let cache: AggregateCache<readonly string[]>;
  beforeEach(() => {
    log = new NotedLog();
    cache = cacheOf(2);
  });

  function cacheOf(size: number, snapshots?: Snapshots): AggregateCache<readonly string[]> {
    return new AggregateCache<readonly string[]>(
      log,
      {
        type: 'repository',
        initial: (id) => [id],
        evolve: (state, events) => [...state, ...events.map(({ data }) => (data as { keyId: string }).keyId)],
        snapshot: {
          ...{ fold: 'keys', version: 1, every: 2 },
          toJson: (state) => state,
          fromJson: (json) => json as string[],
        },
      },
      { size, ...(snapshots && { snapshots }) },
    );
  }

  function append(loaded: Loaded<unknown>, ...events: AnyDomainEvent[]) {
    return appendDecided(log, events, [{ aggregate, head: loaded.head }], context);
  }

  it('are loaded from the log, and again only with what came since', async () => {
    await append(await cache.load('rep1'), exported('k1'));
    expect((await cache.load('rep1')).state).toEqual(['rep1', 'k1']);
    await append(await cache.load('rep1'), exported('k2'));
    const loaded = await cache.load('rep1');
    expect(loaded.state).toEqual(['rep1', 'k1', 'k2']);
    expect(loaded.head.sequence).toBe(2);
    expect(log.reads).toEqual([undefined, undefined, 1, 1]);
  });

  it('know the event that decisions follow from', async () => {
    expect((await cache.load('rep1')).lastEvent).toBe('');
    await append(await cache.load('rep1'), exported('k1'));
    for await (const { id } of log.read()) expect((await cache.load('rep1')).lastEvent).toBe(id);
  });

  it('that were not used for long are forgotten and read again', async () => {
    await append(await cache.load('rep1'), exported('k1'));
    await cache.load('rep1');
    await cache.load('other1');
    await cache.load('other2');
    log.reads.length = 0;
    expect((await cache.load('rep1')).state).toEqual(['rep1', 'k1']);
    expect(log.reads).toEqual([undefined]);
  });

  it('are found again by the next process from their snapshot on', async () => {
    const snapshots = {
      store: new MemorySnapshotStore(),
      onFailure: (error: unknown) => {
        throw error;
      },
    };
    await append(await cache.load('rep1'), exported('k1'), exported('k2'));
    await cacheOf(1, snapshots).load('rep1');
    log.reads.length = 0;
    const loaded = await cacheOf(1, snapshots).load('rep1');
    expect(log.reads).toEqual([2]);
    expect(loaded).toEqual({ ...(await cacheOf(1).load('rep1')), snapshotCount: 2 });
  });

  it('are decided about again when somebody else was faster', async () => {
    const slow = await cache.load('rep1');
    await append(slow, exported('theirs'));
    expect(isConcurrencyConflict(await append(slow, exported('ours')).catch((error: unknown) => error))).toBe(
      true,
    );
    await untilNoConflict(async () => append(await cacheOf(1).load('rep1'), exported('ours')));
    expect((await cache.load('rep1')).state).toEqual(['rep1', 'theirs', 'ours']);
  });

  it('may take a decision in steps, each expecting the one before it', async () => {
    const { heads } = await appendInSteps(
      log,
      [[exported('k1'), exported('k2')], [], [exported('k3')]],
      [{ aggregate, head: (await cache.load('rep1')).head }],
      context,
    );
    expect((await cache.load('rep1')).state).toEqual(['rep1', 'k1', 'k2', 'k3']);
    expect(heads[0]?.sequence).toBe(3);
  });
});
