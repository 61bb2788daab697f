import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestPostgres, type TestPostgres } from '@catena/embedded/testing';
import { MemoryEventLog, type EventLog } from '@catena/event-log';
import type { AnyRecordedEvent, BackupView } from '@catena/events';
import { ReadStore } from '@catena/read-store';
import pg from 'pg';
import { PATIENCE_MILLISECONDS } from '../platform/operator.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { answersOf, servedLists } from './catalog-answers.ts';
import { CatenaCommand } from './catena-command.ts';
import { tellHistory } from './telling-history.ts';

let platform: TestPlatform;
let catena: CatenaCommand;
let empty: TestPostgres;
const stores: ReadStore[] = [];

beforeAll(async () => {
  [platform, empty] = await Promise.all([TestPlatform.start(), startTestPostgres()]);
  catena = new CatenaCommand(platform.home);
  await tellHistory(platform);
});

afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await platform[Symbol.asyncDispose]();
  await empty.close();
});

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
  });

  it('an answer as of a past time is what replaying up to there gives', async () => {
    const events = await platform.events();
    for (const { at, sequence } of moments(events, 7)) {
      const then = await replayed(await logUpTo(sequence));
      expect({ at, ...(await answersOf(servedLists(platform.client), at)) }).toEqual({
        at,
        ...(await answersOf(then.queries)),
      });
    }
  });

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
  });

  it('is rebuilt while questions go on, and nobody notices', async () => {
    const before = await liveDigest();
    const expected = await answersOf(servedLists(platform.client));
    const asked = { answers: 0, rebuilding: true };
    const asking = (async () => {
      while (asked.rebuilding) {
        expect(await answersOf(servedLists(platform.client))).toEqual(expected);
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
  });

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
  });

  it('comes back by itself when the data of PostgreSQL is deleted', async () => {
    const before = await liveDigest();
    const { folder, home } = platform;
    await platform.stop();
    rmSync(path.join(home, 'postgres'), { recursive: true });
    platform = await TestPlatform.start({ folder });
    expect(await liveDigest()).toEqual(before);
  });
});
