import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chainsOf, restorePointsOf } from '@catena/chain';
import { catalogRequests, type BackupView, type ChainView, type RunView } from '@catena/events';
import type { ReadStore } from '../read-store.ts';
import { HistoryLog, plausibleHistory } from '../testing/index.ts';
import { PATIENCE, StoreBench } from '../testing/store-bench.ts';
import { wholeList } from '../testing/whole-list.ts';
import { AmbiguousIdError } from './id-beginning.ts';

const EVENTS = 2_400;
// Whatever else the machine does: a real server may be slow, never wrong.

let bench: StoreBench;
let store: ReadStore;
let runs: RunView[];
let backups: BackupView[];
let chains: ChainView[];

beforeAll(async () => {
  bench = await StoreBench.start();
  const log = new HistoryLog();
  await log.take(plausibleHistory(31, EVENTS));
  store = await bench.projecting(log);
  const { queries } = store;
  runs = await wholeList((page) => queries.listRuns(page));
  backups = await wholeList((page) => queries.listBackups(page));
  chains = await wholeList((page) => queries.listChains(page));
});
afterAll(() => bench.end());

describe('answers', () => {
  it('are what the contract says', async () => {
    const { queries } = store;
    const page = { limit: 1_000 };
    catalogRequests.listDefinitions.output.parse(await queries.listDefinitions(page));
    catalogRequests.listSchedules.output.parse(await queries.listSchedules(page));
    catalogRequests.listRuns.output.parse(await queries.listRuns(page));
    catalogRequests.listBackups.output.parse(await queries.listBackups(page));
    catalogRequests.listChains.output.parse(await queries.listChains(page));
    catalogRequests.listRestorePoints.output.parse(await queries.listRestorePoints(page));
    catalogRequests.listKeys.output.parse(await queries.listKeys(page));
    expect(new Set(runs.map(({ state }) => state)).size).toBeGreaterThan(5);
    expect(new Set(runs.map(({ kind }) => kind))).toEqual(new Set(['backup', 'restore', 'verify', 'rescan']));
    expect(new Set(backups.map(({ state }) => state)).size).toBeGreaterThan(1);
  });

  it('say which sequence they have seen', async () => {
    expect(await store.queries.listKeys({})).toMatchObject({ sequence: EVENTS });
    expect(await store.queries.listKeys({})).not.toHaveProperty('stale');
  });

  it('group backups into chains as the domain does', () => {
    const grouped = chainsOf(backups);
    expect(chains.map(({ chain }) => chain).sort()).toEqual(grouped.map(({ chain }) => chain).sort());
    for (const view of grouped) expect(chains.find(({ chain }) => chain === view.chain)).toEqual(view);
    expect(chains.filter(({ newest }) => newest)).toHaveLength(
      new Set(chains.map((one) => one.collection)).size,
    );
    expect(chains.some(({ usable }) => !usable)).toBe(true);
  });

  it('name the restore points that the domain names', async () => {
    const points = await wholeList((page) => store.queries.listRestorePoints(page));
    expect(points).toEqual(restorePointsOf(backups));
    expect(points.length).toBeLessThan(backups.length);
  });

  it('count', async () => {
    const { counts, generation, sequence, stopped } = await store.queries.state();
    expect({ generation, sequence, stopped }).toEqual({
      generation: 'catena_1',
      sequence: EVENTS,
      stopped: undefined,
    });
    expect(counts).toMatchObject({
      runs: runs.length,
      runsActive: runs.filter(({ finishedAt }) => finishedAt === undefined).length,
      runsFailed: runs.filter(({ state }) => state === 'failed').length,
      backups: backups.length,
      backupsUsable: backups.filter(({ state }) => state === 'usable').length,
      chains: chains.length,
    });
  });
});

describe('orders', () => {
  it('runs and backups newest first, a chain oldest first', () => {
    const times = backups.map(({ asOf }) => asOf);
    expect(times).toEqual([...times].sort().reverse());
    const requested = runs.map(({ requestedAt }) => requestedAt);
    expect(requested).toEqual([...requested].sort().reverse());
    for (const chain of chains) {
      const positions = chain.backups.map(({ position }) => Number(position));
      expect(positions).toEqual([...positions].sort((a, b) => a - b));
    }
  });
});

describe('pages', () => {
  it.each([1, 7, 100])('of %d give the whole list, each item once', async (limit) => {
    const { queries } = store;
    const few = { source: 'files-0' };
    expect(await wholeList((page) => queries.listRuns({ ...page, ...few }), limit)).toEqual(
      runs.filter(({ source }) => source === 'files-0'),
    );
    expect(await wholeList((page) => queries.listChains({ ...page, ...few }), limit)).toEqual(
      chains.filter(({ source }) => source === 'files-0'),
    );
    expect(await wholeList((page) => queries.listDefinitions(page), limit)).toEqual(
      (await queries.listDefinitions({})).items,
    );
    expect(await wholeList((page) => queries.listSchedules(page), limit)).toEqual(
      (await queries.listSchedules({})).items,
    );
    expect(await wholeList((page) => queries.listKeys(page), limit)).toEqual(
      (await queries.listKeys({})).items,
    );
  });

  it('of one list show one moment, whatever happens between them', async () => {
    const log = new HistoryLog();
    const history = plausibleHistory(32, 900);
    await log.take(history, 500);
    const growing = await bench.open();
    const runner = growing.project(log);
    await runner.waitFor(500, PATIENCE);
    const before = await wholeList((page) => growing.queries.listBackups(page));
    const first = await growing.queries.listBackups({ limit: 5 });
    await log.take(history);
    await runner.waitFor(900, PATIENCE);
    const rest = await growing.queries.listBackups({ limit: 1_000, after: first.next });
    expect([...first.items, ...rest.items]).toEqual(before);
    expect(rest.sequence).toBe(500);
    expect((await growing.queries.listBackups({})).sequence).toBe(900);
  });

  it('refuse a cursor that is not theirs', async () => {
    const { next } = await store.queries.listRuns({ limit: 1 });
    const invalid = { code: 'read-store.cursor-invalid' };
    await expect(store.queries.listBackups({ after: next })).rejects.toMatchObject(invalid);
    await expect(store.queries.listRuns({ after: 'next please' })).rejects.toMatchObject(invalid);
  });
});

describe('filters', () => {
  it('narrow runs', async () => {
    const { queries } = store;
    const ask = (question: Parameters<typeof queries.listRuns>[0]) =>
      wholeList((page) => queries.listRuns({ ...page, ...question }));
    expect(await ask({ repository: 'offsite' })).toEqual(runs.filter((run) => run.repository === 'offsite'));
    expect(await ask({ schedule: 'nightly-1' })).toEqual(runs.filter((run) => run.schedule === 'nightly-1'));
    expect(await ask({ state: 'failed' })).toEqual(runs.filter(({ state }) => state === 'failed'));
    const isActive = ({ finishedAt }: RunView) => finishedAt === undefined;
    expect(await ask({ active: true })).toEqual(runs.filter(isActive));
    expect(await ask({ active: false })).toEqual(runs.filter((run) => !isActive(run)));
  });

  it('narrow backups and restore points', async () => {
    const { queries } = store;
    const ask = (question: Parameters<typeof queries.listBackups>[0]) =>
      wholeList((page) => queries.listBackups({ ...page, ...question }));
    expect(await ask({ copyOnly: true })).toEqual(backups.filter(({ copyOnly }) => copyOnly));
    expect(await ask({ source: 'files-2' })).toEqual(backups.filter(({ source }) => source === 'files-2'));
    const longest = chains.reduce((a, b) => (b.backups.length > a.backups.length ? b : a));
    expect((await ask({ chain: longest.chain })).reverse()).toEqual(longest.backups);
    const [, , third] = (await queries.listRestorePoints({})).items;
    const { items } = await queries.listRestorePoints({ before: third?.at });
    expect(items[0]).toEqual(third);
  });

  it('narrow definitions and schedules', async () => {
    const { queries } = store;
    const all = (await queries.listDefinitions({})).items;
    expect((await queries.listDefinitions({ kind: 'Source' })).items).toEqual(
      all.filter(({ kind }) => kind === 'Source'),
    );
    const [schedule] = (await queries.listSchedules({})).items;
    expect((await queries.listSchedules({ name: schedule?.name })).items).toEqual([schedule]);
  });

  it('take the beginning of an id when only one begins so', async () => {
    const { queries } = store;
    const id = backups[0]?.backup ?? '';
    for (const beginning of [id, id.slice(0, 14), id.slice(4, 14)]) {
      expect((await queries.listBackups({ backup: beginning })).items).toEqual([backups[0]]);
    }
    const run = runs[0]?.run ?? '';
    expect((await queries.listRuns({ run: run.slice(0, 15) })).items).toEqual([runs[0]]);
    await expect(queries.listBackups({ backup: 'bkp-' })).rejects.toThrow(AmbiguousIdError);
    await expect(queries.listRuns({ run: '' })).rejects.toThrow(AmbiguousIdError);
    expect((await queries.listBackups({ backup: 'bkp-none' })).items).toEqual([]);
    expect((await queries.listBackups({ backup: 'b%' })).items).toEqual([]);
  });
});
