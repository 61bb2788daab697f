import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestPostgres, type TestPostgres } from '@catena/embedded/testing';
import { ReadStore } from './read-store.ts';
import { HistoryLog, plausibleHistory } from './testing/index.ts';

let postgres: TestPostgres;
const open: ReadStore[] = [];

beforeAll(async () => {
  postgres = await startTestPostgres({ durable: true });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.close()));
});
afterAll(async () => {
  await postgres.close();
});

async function storeOn(url: string): Promise<ReadStore> {
  const store = await ReadStore.open({ url });
  open.push(store);
  return store;
}

describe('projecting', () => {
  it('gives the same rows live and rebuilt', async () => {
    const log = new HistoryLog();
    const history = plausibleHistory(1, 3_000);
    const store = await storeOn(await postgres.createDatabase());
    const runner = store.project(log);
    for (const count of [1, 1, 700, 3, 2_000, 295]) {
      await log.take(history, count);
      await runner.waitFor(await log.lastSequence(), 20_000);
    }
    const live = await store.digest();
    const rebuilt = await store.rebuild(log);
    expect(rebuilt).toMatchObject({ events: 3_000, sequence: 3_000, generation: 'catena_2' });
    expect(await store.digest()).toEqual(live);
  });
});
