import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogRequests, domainEvent, stamp, type AnyDomainEvent, type EventData } from '@catena/events';
import { MemoryEventLog } from '@catena/event-log';
import type { ReadStore } from '../read-store.ts';
import { StoreBench } from '../testing/store-bench.ts';
import { wholeList } from '../testing/whole-list.ts';

// Whatever else the machine does: a real server may be slow, never wrong.

const COLLECTION = 'col-1';
const place = { source: 'bank', sourceUid: 's', repository: 'vault', repositoryUid: 'r' };
const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();

type Made = Partial<EventData<'backup.completed'>> & { readonly position: string };

/** A backup that ends at a minute; its id names it. */
function made(backup: string, minute: number, facts: Made): AnyDomainEvent[] {
  const lineage = {
    ...{ run: `run-${backup}`, backup, type: 'log' as const, copyOnly: false, chain: 'full' },
    ...{ family: 'postgres:1', fork: '1', asOf: at(minute), closure: [] },
    ...facts,
  };
  return [
    domainEvent('backup.completed', backup, {
      ...place,
      ...{ collection: COLLECTION, startedAt: at(minute), finishedAt: at(minute), files: 1, bytes: 10 },
      ...{ bytesAdded: 5, keyIds: [], warningCount: 0, manifest: { name: backup, hash: backup } },
      ...lineage,
    }),
    domainEvent('collection.backup-completed', COLLECTION, lineage),
  ];
}

const full = (backup: string, minute: number, position: string, facts: Partial<Made> = {}) =>
  made(backup, minute, { type: 'full', chain: backup, position, archivePoint: position, ...facts });
const log = (backup: string, minute: number, start: string, position: string, facts: Partial<Made> = {}) =>
  made(backup, minute, { start, position, ...facts });

describe('recovery windows', () => {
  let bench: StoreBench;
  beforeAll(async () => {
    bench = await StoreBench.start();
  });
  afterEach(() => bench.closeStores());
  afterAll(() => bench.end());

  async function projected(history: readonly AnyDomainEvent[]): Promise<ReadStore> {
    const events = new MemoryEventLog({ now: () => new Date(at(0)) });
    const all = [domainEvent('collection.opened', COLLECTION, place), ...history];
    for (const [index, one] of all.entries()) {
      const cause = { time: at(0), actor: 'test', correlationId: 'c', causationId: `cause-${index}` };
      const [event] = stamp([one], cause);
      if (event === undefined) throw new Error('nothing to append');
      const { aggregate } = event;
      await events.append([{ aggregate, expected: await events.head(aggregate), events: [event] }]);
    }
    return await bench.projecting(events);
  }

  async function windowsOf(history: readonly AnyDomainEvent[]) {
    const store = await projected(history);
    catalogRequests.listRecoveryWindows.output.parse(await store.queries.listRecoveryWindows({}));
    return await listed(store);
  }

  async function listed({ queries }: ReadStore) {
    const windows = await wholeList((page) => queries.listRecoveryWindows({ ...page, source: 'bank' }));
    return windows.map(
      ({ from, to, backup, logs, gap, lost, fork, fromPosition, toPosition, leftBranch }) => ({
        ...(leftBranch === undefined ? {} : { leftBranch }),
        ...{ from, to, backup, logs, fork, stretch: [fromPosition, toPosition] },
        ...(gap === undefined ? {} : { gap: [gap.from, gap.fromPosition, gap.toPosition] }),
        ...(lost === undefined ? {} : { lost: lost.reason }),
      }),
    );
  }

  it('go from the first data backup to the end of the last log, over every data backup in between', async () => {
    const history = [
      ...full('full', 1, '100'),
      ...log('l1', 2, '90', '200'),
      ...full('full2', 3, '250'),
      ...log('l2', 4, '200', '300'),
      ...log('idle', 9, '300', '300'),
    ];
    expect(await windowsOf(history)).toEqual([
      { from: at(1), to: at(4), backup: 'full', logs: 2, fork: '1', stretch: ['100', '300'] },
    ]);
  });

  it('never end before they begin: the log after a data backup may show a time before its end', async () => {
    const store = await projected([...full('full', 5, '100'), ...log('l1', 4, '90', '200')]);
    const { items } = await store.queries.listRecoveryWindows({});
    expect(items).toMatchObject([{ from: at(5), to: at(5), knownUntil: at(5), toPosition: '200' }]);
  });

  it('say how long nothing has happened since', async () => {
    const events = [
      ...full('full', 1, '100'),
      ...log('l1', 2, '100', '200'),
      ...log('idle', 9, '200', '200'),
    ];
    const store = await projected(events);
    const { items } = await store.queries.listRecoveryWindows({});
    expect(items).toMatchObject([{ to: at(2), knownUntil: at(9) }]);
  });

  it('end at a gap, which is named, and begin anew with the next data backup', async () => {
    const windows = await windowsOf([
      ...full('full', 1, '100'),
      ...log('l1', 2, '100', '200'),
      ...full('full2', 5, '400', { archivePoint: '350' }),
      ...log('l2', 6, '350', '500'),
    ]);
    expect(windows).toEqual([
      {
        ...{ from: at(5), to: at(6), backup: 'full2', logs: 1, fork: '1', stretch: ['400', '500'] },
        gap: [at(2), '200', '350'],
      },
      { from: at(1), to: at(2), backup: 'full', logs: 1, fork: '1', stretch: ['100', '200'] },
    ]);
  });

  it('are bridged by a copy-only log where the regular ones stop short', async () => {
    const windows = await windowsOf([
      ...full('full', 1, '100'),
      ...log('l1', 2, '100', '200'),
      ...log('extra', 3, '150', '300', { copyOnly: true }),
      ...log('l2', 4, '300', '400'),
    ]);
    expect(windows).toMatchObject([{ from: at(1), to: at(4), logs: 3 }]);
  });

  it('say that the log after the last one is lost, until a data backup begins it again', async () => {
    const lost = [
      ...full('full', 1, '100'),
      ...log('l1', 2, '100', '200'),
      domainEvent('collection.archive-point-lost', COLLECTION, { position: '200', reason: 'slotLost' }),
    ];
    expect(await windowsOf(lost)).toMatchObject([{ to: at(2), lost: 'slotLost' }]);
    const again = await windowsOf([...lost, ...full('full2', 5, '400', { archivePoint: '350' })]);
    expect(again).toMatchObject([{ to: at(2) }]);
    expect(again[0]).not.toHaveProperty('lost');
  });

  it('need a data backup that can be restored', async () => {
    const windows = await windowsOf([
      ...full('full', 1, '100'),
      ...log('l1', 2, '100', '200'),
      ...made('inc', 3, { type: 'incremental', position: '220', parent: 'full', closure: ['full'] }),
      ...log('l2', 4, '200', '300'),
      domainEvent('collection.backup-unusable', COLLECTION, { backup: 'full', reason: 'damaged' }),
    ]);
    expect(windows).toEqual([]);
  });

  it('follow the newest branch; what an older one has beyond where it was left is a window of its own', async () => {
    const history = [
      ...full('full', 1, '100'),
      ...log('l1', 2, '100', '200'),
      ...log('old', 3, '200', '600'),
      ...log('switched', 4, '200', '250', { fork: '2-abc' }),
      ...log('l2', 5, '250', '400', { fork: '2-abc' }),
    ];
    const newest = {
      ...{ from: at(1), to: at(5), backup: 'full', logs: 3, fork: '2-abc', stretch: ['100', '400'] },
    };
    const left = { from: at(1), to: at(3), backup: 'full', logs: 2, fork: '1', stretch: ['100', '600'] };
    expect(await windowsOf(history)).toEqual([newest, { ...left, leftBranch: true }]);
    const again = await windowsOf([
      ...history,
      ...log('l3', 6, '200', '220', { fork: '3-def' }),
      ...log('l4', 7, '220', '300', { fork: '3-def' }),
    ]);
    expect(again).toMatchObject([
      { to: at(7), logs: 3, fork: '3-def', stretch: ['100', '300'] },
      { ...newest, leftBranch: true },
      { ...left, leftBranch: true },
    ]);
  });

  it('have no gap where a log of the older branch goes on beyond where it was left', async () => {
    const history = [
      ...full('full', 1, '100'),
      ...log('l1', 2, '100', '200'),
      ...log('beyond', 6, '200', '600'),
    ];
    const switched = log('switched', 7, '450', '500', { fork: '2-abc' });
    const left = { from: at(1), to: at(6), backup: 'full', logs: 2, fork: '1', stretch: ['100', '600'] };
    expect(await windowsOf([...history, ...switched])).toEqual([
      { from: at(1), to: at(7), backup: 'full', logs: 3, fork: '2-abc', stretch: ['100', '500'] },
      { ...left, leftBranch: true },
    ]);
  });

  it('know the newer branch also by a log in which nothing was committed, and which shows no time', async () => {
    const history = [
      ...full('full', 1, '100'),
      ...log('l1', 2, '100', '200'),
      ...log('old', 3, '200', '600'),
      ...log('quiet', 4, '200', '250', { fork: '2-abc', asOf: new Date(0).toISOString() }),
      ...log('l2', 5, '250', '400', { fork: '2-abc' }),
    ];
    expect(await windowsOf(history)).toMatchObject([
      { to: at(5), logs: 3, fork: '2-abc', stretch: ['100', '400'] },
      { to: at(3), logs: 2, fork: '1', leftBranch: true },
    ]);
  });

  it('of a branch that ended where the next one began there is no window of its own', async () => {
    const windows = await windowsOf([
      ...full('full', 1, '100'),
      ...log('l1', 2, '100', '200'),
      ...log('l2', 3, '200', '250', { fork: '2-abc' }),
    ]);
    expect(windows).toMatchObject([{ to: at(3), logs: 2, fork: '2-abc' }]);
  });
});
