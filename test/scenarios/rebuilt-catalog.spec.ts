import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestPostgres, type TestPostgres } from '@catena/embedded/testing';
import { MemoryEventLog, type EventLog } from '@catena/event-log';
import { catalogRequests, schedulerRequests, type AnyRecordedEvent, type BackupView } from '@catena/events';
import { ReadStore } from '@catena/read-store';
import pg from 'pg';
import { command, PATIENCE_MILLISECONDS, type Place } from '../platform/operator.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand } from './catena-command.ts';

let platform: TestPlatform;
let catena: CatenaCommand;
let empty: TestPostgres;
let place: Place;
const stores: ReadStore[] = [];

beforeAll(async () => {
  [platform, empty] = await Promise.all([TestPlatform.start(), startTestPostgres()]);
  catena = new CatenaCommand(platform.home);
  place = await platform.defineFiles({ source: 'letters', repository: 'vault' });
  await makeHistory();
}, 180_000);

afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await platform[Symbol.asyncDispose]();
  await empty.close();
}, 60_000);

/** Something of everything that the catalog keeps. */
async function makeHistory(): Promise<void> {
  platform.write(place.source, {
    'a.txt': 'one\n',
    'b/c.txt': 'two\n',
    'large.bin': Buffer.alloc(300_000, 7),
  });
  await platform.apply(schedule('@daily'));
  const first = await platform.event('run.completed');
  await platform.client.ask(schedulerRequests.pauseSchedule, {
    ...command(),
    schedule: 'often',
    reason: 'a rest',
  });
  platform.write(place.source, { 'a.txt': 'one more\n' });
  await platform.backup('letters', 'vault', 'incremental');
  platform.write(place.source, { 'd.txt': 'three\n' });
  await platform.backup('letters', 'vault', 'differential');
  const copy = await platform.backup('letters', 'vault', 'full', true);
  const refused = await platform.backup('letters', 'vault', 'incremental', true);
  expect([copy.state, refused.state]).toEqual(['completed', 'refused']);
  await platform.restore('vault', first.data.backup ?? '', path.join(platform.folder, 'restored'));
  await catena.ask('key', 'export', 'vault', '--to', path.join(platform.folder, 'usb.key'));
  await platform.client.ask(schedulerRequests.resumeSchedule, { ...command(), schedule: 'often' });
  await platform.apply(schedule('@monthly'));
  damageNewestPack();
  const verified = await catena.run('verify', '--repository', 'vault', '--json');
  expect(verified.code).toBe(7);
  await catena.ask('delete', 'schedule', 'often');
}

function schedule(full: string): string {
  return `apiVersion: catena/v1
kind: Schedule
metadata: {name: often}
spec: {source: letters, repository: vault, firstRun: now, full: '${full}', copyOnly: '@yearly'}
`;
}

/** One bit in the pack of the copy-only full. */
function damageNewestPack(): void {
  const packs = readdirSync(place.repository, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.includes('copy-only') && path.basename(name).startsWith('pack-'),
  );
  const file = path.join(place.repository, packs[0]!);
  const bytes = readFileSync(file);
  bytes[Math.floor(bytes.length / 2)]! ^= 1;
  rmSync(file);
  writeFileSync(file, bytes);
}

/** A store on an empty database that has seen all of a log. */
async function replayed(log: EventLog): Promise<ReadStore> {
  const store = await ReadStore.open({ url: await empty.createDatabase() });
  stores.push(store);
  await store.project(log).waitFor(await log.lastSequence(), PATIENCE_MILLISECONDS);
  return store;
}

/** The rows of the running platform, once they have seen everything. */
async function liveDigest() {
  await platform.backups();
  const store = await ReadStore.open({ url: platform.platform.endpoints.postgres.url });
  try {
    return await store.digest();
  } finally {
    await store.close();
  }
}

/** The log up to a sequence, as it would be had nothing happened since. */
async function logUpTo(sequence: number): Promise<MemoryEventLog> {
  const log = new MemoryEventLog();
  for await (const event of platform.client.log.readStored({ to: sequence }))
    await log.restoreStored([event]);
  return log;
}

type Queries = Pick<
  ReadStore['queries'],
  | 'listDefinitions'
  | 'listSchedules'
  | 'listRuns'
  | 'listBackups'
  | 'listChains'
  | 'listRestorePoints'
  | 'listKeys'
>;

/** Every list, in full. */
async function answersOf(queries: Queries, asOf?: string) {
  const question = { limit: 1000, ...(asOf === undefined ? {} : { asOf }) };
  const [definitions, schedules, runs, backups, chains, points, keys] = await Promise.all([
    queries.listDefinitions(question),
    queries.listSchedules(question),
    queries.listRuns(question),
    queries.listBackups(question),
    queries.listChains(question),
    queries.listRestorePoints(question),
    queries.listKeys(question),
  ]);
  const lists = { definitions, schedules, runs, backups, chains, points, keys };
  return Object.fromEntries(Object.entries(lists).map(([name, { items }]) => [name, items]));
}

/** The same lists, asked of the running chain-catalog. */
const served: Queries = {
  listDefinitions: (question) => platform.client.ask(catalogRequests.listDefinitions, question),
  listSchedules: (question) => platform.client.ask(catalogRequests.listSchedules, question),
  listRuns: (question) => platform.client.ask(catalogRequests.listRuns, question),
  listBackups: (question) => platform.client.ask(catalogRequests.listBackups, question),
  listChains: (question) => platform.client.ask(catalogRequests.listChains, question),
  listRestorePoints: (question) => platform.client.ask(catalogRequests.listRestorePoints, question),
  listKeys: (question) => platform.client.ask(catalogRequests.listKeys, question),
};

/** Log times at which something had just happened, and the sequence that was newest then. */
function moments(events: readonly AnyRecordedEvent[], count: number): { at: string; sequence: number }[] {
  const newest = new Map<string, number>();
  for (const { recordedAt, sequence } of events) newest.set(recordedAt, sequence);
  const all = [...newest].map(([at, sequence]) => ({ at, sequence }));
  return Array.from(
    { length: count },
    (_, index) => all[Math.floor((index * (all.length - 1)) / (count - 1))]!,
  );
}

describe('the catalog is nothing but the log', () => {
  it('the log replayed into an empty PostgreSQL gives the same rows', async () => {
    const live = await liveDigest();
    const again = await replayed(platform.client.log);
    expect(await again.digest()).toEqual(live);
    const rows = Object.fromEntries(
      Object.entries(live.tables).map(([name, { rows: count }]) => [name, count]),
    );
    expect(rows).toMatchObject({ run: expect.any(Number), backup: expect.any(Number) });
    expect(Math.min(...Object.values(rows))).toBeGreaterThan(0);
  }, 60_000);

  it('an answer as of a past time is what replaying up to there gives', async () => {
    const events = await platform.events();
    for (const { at, sequence } of moments(events, 7)) {
      const then = await replayed(await logUpTo(sequence));
      expect({ at, ...(await answersOf(served, at)) }).toEqual({ at, ...(await answersOf(then.queries)) });
    }
  }, 120_000);

  it('the command line asks as of a past time', async () => {
    const completed = (await platform.events(['backup.completed'])).map(({ recordedAt }) => recordedAt);
    const at = completed[1]!;
    const { items } = await catena.ask<{ items: BackupView[] }>('backups', '--as-of', at);
    expect(items.map(({ type }) => type)).toEqual(['incremental', 'full']);
    const { items: definitions } = await catena.ask<{ items: { name: string }[] }>(
      'get',
      'schedules',
      '--as-of',
      at,
    );
    expect(definitions.map(({ name }) => name)).toEqual(['often']);
    expect((await catena.ask<{ items: unknown[] }>('get', 'schedules')).items).toEqual([]);
  }, 30_000);

  it('is rebuilt while questions go on, and nobody notices', async () => {
    const before = await liveDigest();
    const expected = await answersOf(served);
    const asked = { answers: 0, rebuilding: true };
    const asking = (async () => {
      while (asked.rebuilding) {
        expect(await answersOf(served)).toEqual(expected);
        asked.answers += 1;
      }
    })();
    const generations: unknown[] = [];
    for (let times = 0; times < 3; times++)
      generations.push((await catena.ask<{ generation: string }>('catalog', 'rebuild')).generation);
    asked.rebuilding = false;
    await asking;
    expect(generations).toEqual(['catena_2', 'catena_3', 'catena_4']);
    expect(asked.answers).toBeGreaterThan(0);
    expect(await liveDigest()).toEqual(before);
  }, 120_000);

  it('notices a row that is not what the log says, and a rebuild mends it', async () => {
    const live = await liveDigest();
    const database = new pg.Client({ connectionString: platform.platform.endpoints.postgres.url });
    await database.connect();
    await database.query(`update catena_4.backup set bytes = bytes + 1 where type = 'full'`);
    await database.end();
    const verified = await catena.run('log', 'verify', '--json');
    expect(verified.code).toBe(7);
    expect(verified.json()).toMatchObject({
      problemCount: 0,
      projections: { identical: false, differing: ['backup'] },
    });
    await catena.ask('catalog', 'rebuild');
    expect(await liveDigest()).toEqual(live);
    expect(await catena.ask('log', 'verify')).toMatchObject({ projections: { identical: true } });
  }, 60_000);

  it('comes back by itself when the data of PostgreSQL is deleted', async () => {
    const before = await liveDigest();
    const { folder, home } = platform;
    await platform.stop();
    rmSync(path.join(home, 'postgres'), { recursive: true });
    platform = await TestPlatform.start({ folder });
    expect(await liveDigest()).toEqual(before);
  }, 120_000);
});
