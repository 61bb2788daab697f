import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestPostgres, type TestPostgres } from '@catena/embedded/testing';
import { importLog, MemoryEventLog, verifyLog } from '@catena/event-log';
import { ReadStore, READ_MODEL_VERSION } from '@catena/read-store';
import { violations } from '../platform/invariants.ts';
import { PATIENCE_MILLISECONDS } from '../platform/operator.ts';
import { answersOf } from './catalog-answers.ts';
import { GoldenLog, type Expected } from './golden-log.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.close());

describe.each(GoldenLog.all())('the log that $version recorded', (golden) => {
  let log: MemoryEventLog;
  let store: ReadStore;
  let expected: Expected;

  beforeAll(async () => {
    expected = golden.expected();
    log = new MemoryEventLog();
    await importLog(log, golden.open);
    store = await ReadStore.open({ url: await postgres.createDatabase() });
    await store.project(log).waitFor(await log.lastSequence(), PATIENCE_MILLISECONDS);
  });
  afterAll(() => store.close());

  it('is whole, and this build understands every event of it', async () => {
    expect(await verifyLog(log)).toMatchObject({ last: expected.digest.sequence, problemCount: 0 });
    const events = [];
    for await (const event of log.read()) events.push(event);
    expect(violations(events)).toEqual([]);
  });

  it('gives the answers that it gave then', async () => {
    expect(await answersOf(store.queries)).toMatchObject(expected.answers);
  });

  it('gives the answers as of past times that it gave then', async () => {
    expect(expected.asOf.length).toBeGreaterThan(2);
    for (const { at, answers } of expected.asOf)
      expect({ at, ...(await answersOf(store.queries, at)) }).toMatchObject({ at, ...answers });
  });

  it('gives the very same rows, as long as the read models are those of then', async () => {
    const now = await store.digest();
    if (READ_MODEL_VERSION === expected.readModelVersion) expect(now).toEqual(expected.digest);
    else expect(now.sequence).toBe(expected.digest.sequence);
  });
});
