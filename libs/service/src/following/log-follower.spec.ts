import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { domainEvent, stamp, type AggregateRef, type AnyRecordedEvent } from '@catena/events';
import { MemorySnapshotStore, type Snapshot } from '@catena/event-log';
import { memoryPorts, testPlatform, type SharedPorts, type TestPlatform } from '../testing/index.ts';
import { pagesOf, type LogFold } from './log-fold.ts';
import { LogFollower } from './log-follower.ts';

/** Counts the keys of each repository. */
class KeyCount implements LogFold {
  readonly types = ['repository.key-exported'] as const;
  readonly counts = new Map<string, number>();
  applied = 0;
  caughtUpWith: number | undefined;

  constructor(
    readonly name = 'keys',
    readonly version = 1,
  ) {}

  apply(event: AnyRecordedEvent): void {
    const { id } = event.aggregate;
    this.applied += 1;
    this.counts.set(id, (this.counts.get(id) ?? 0) + 1);
  }

  *capture(): Iterable<unknown> {
    yield* pagesOf(this.counts);
  }

  restore(page: unknown): void {
    for (const [id, count] of page as [string, number][]) this.counts.set(id, count);
  }

  clear(): void {
    this.counts.clear();
  }

  caughtUp(): void {
    this.caughtUpWith ??= this.counts.get('rep-a') ?? 0;
  }
}

/** Fails from a certain writing on, as when a process is killed. */
class StoreThatBreaks extends MemorySnapshotStore {
  left = Number.POSITIVE_INFINITY;

  override async save(aggregate: AggregateRef, fold: string, snapshot: Snapshot): Promise<void> {
    this.left -= 1;
    if (this.left < 0) throw new Error('broken off');
    await super.save(aggregate, fold, snapshot);
  }
}

describe('a follower of the log', () => {
  let ports: SharedPorts;
  let store: StoreThatBreaks;
  let failures: unknown[];
  let running: TestPlatform[];

  beforeEach(() => {
    failures = [];
    running = [];
    store = new StoreThatBreaks();
    ports = { ...memoryPorts(), snapshots: { store, onFailure: (error) => failures.push(error) } };
  });
  afterEach(async () => {
    for (const { work } of running) await work.stop();
  });

  /** A process that follows the log; resolves when it has read what there is. */
  async function started(...folds: LogFold[]): Promise<{ follower: LogFollower; platform: TestPlatform }> {
    const platform = testPlatform('chain-catalog', `c${running.length + 1}`, ports);
    running.push(platform);
    const kept = { aggregate: { type: 'collection', id: 'every' }, fold: 'test' } as const;
    const follower = new LogFollower(platform, { who: 'test', kept });
    for (const fold of folds) follower.add(fold);
    follower.start();
    await follower.current();
    return { follower, platform };
  }

  async function happen(repository: string, times: number): Promise<void> {
    const aggregate = { type: 'repository', id: repository } as const;
    for (let time = 0; time < times; time += 1) {
      const expected = await ports.eventLog.head(aggregate);
      const event = domainEvent('repository.key-exported', repository, {
        repository: 'vault',
        keyId: `k${expected.sequence}`,
      });
      const context = {
        time: '2026-11-01T00:00:00.000Z',
        actor: 'person:tester',
        correlationId: 'c',
        causationId: `${repository} ${expected.sequence}`,
      };
      await ports.eventLog.append([{ aggregate, expected, events: stamp([event], context) }]);
    }
  }

  it('shows each event to those that want it, and says once it has read what was there', async () => {
    await happen('rep-a', 3);
    const [one, other] = [new KeyCount('one'), new KeyCount('other')];
    const { platform } = await started(one, other);
    await happen('rep-a', 1);
    await running[0]!.work.stop();
    expect([one.counts.get('rep-a'), other.counts.get('rep-a')]).toEqual([4, 4]);
    expect(one.caughtUpWith).toBe(3);
    expect(platform.readiness.unfinished()).toEqual({});
  });

  it('is told that nothing is left in a log without events', async () => {
    const fold = new KeyCount();
    const { follower } = await started(fold);
    await follower.started(new AbortController().signal);
    expect(fold.caughtUpWith).toBe(0);
  });

  it('begins with its snapshot and reads only what came after it', async () => {
    await happen('rep-a', 3);
    await happen('rep-b', 2);
    const first = await started(new KeyCount());
    await first.follower.saveSnapshot();
    await happen('rep-a', 1);
    const fold = new KeyCount();
    await started(fold);
    expect(Object.fromEntries(fold.counts)).toEqual({ 'rep-a': 4, 'rep-b': 2 });
    expect(fold.applied).toBe(1);
    expect(failures).toEqual([]);
  });

  it('that begins at the end of the log is caught up without any event', async () => {
    await happen('rep-a', 2);
    await (await started(new KeyCount())).follower.saveSnapshot();
    const fold = new KeyCount();
    const { follower } = await started(fold);
    await follower.started(new AbortController().signal);
    expect({ applied: fold.applied, caughtUpWith: fold.caughtUpWith }).toEqual({
      applied: 0,
      caughtUpWith: 2,
    });
  });

  it.each([
    ['of another version of a fold', [new KeyCount('keys', 2)]],
    ['without one of the folds', [new KeyCount(), new KeyCount('more')]],
    ['with a fold that is no more', [new KeyCount('renamed')]],
  ])('leaves a snapshot %s alone', async (_, folds) => {
    await happen('rep-a', 3);
    await (await started(new KeyCount())).follower.saveSnapshot();
    await started(...folds);
    expect(folds.map((fold) => [fold.applied, fold.counts.get('rep-a')])).toEqual(folds.map(() => [3, 3]));
  });

  it.each([0, 1, 2])(
    'killed after %s writings of a snapshot leaves the one before, or is read whole',
    async (writings) => {
      await happen('rep-a', 3);
      const { follower } = await started(new KeyCount());
      await follower.saveSnapshot();
      await happen('rep-a', 2);
      await follower.current();
      store.left = writings;
      await expect(follower.saveSnapshot()).rejects.toThrow('broken off');
      const fold = new KeyCount();
      await started(fold);
      expect({ applied: fold.applied, count: fold.counts.get('rep-a') }).toEqual({ applied: 2, count: 5 });
    },
  );

  it('that finds a page of another snapshot forgets what it took of it, tells, and reads the log whole', async () => {
    await happen('rep-a', 3);
    const { follower } = await started(new KeyCount(), new KeyCount('more'));
    await follower.saveSnapshot();
    const aggregate = { type: 'collection', id: 'every' } as const;
    const last = await store.load(aggregate, 'test-a-2');
    await store.save(aggregate, 'test-a-2', { ...last!, state: { of: 'another', content: {} } });
    const folds = [new KeyCount(), new KeyCount('more')];
    await started(...folds);
    expect(folds.map(({ counts }) => counts.get('rep-a'))).toEqual([3, 3]);
    expect(failures.map(String)).toEqual(['Error: Page 2 of the snapshot "test" is of another one.']);
  });

  it('that fails in the midst of a batch takes in nothing twice', async () => {
    await happen('rep-a', 3);
    const fold = new (class extends KeyCount {
      override apply(event: AnyRecordedEvent): void {
        if (event.sequence === 2 && this.applied === 1) {
          this.applied = 0;
          throw new Error('not yet');
        }
        super.apply(event);
      }
    })();
    await started(fold);
    expect(fold.counts.get('rep-a')).toBe(3);
  });
});
