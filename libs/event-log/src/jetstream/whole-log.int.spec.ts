import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { startTestNats, type TestNats } from '@catena/embedded/testing';
import { loadAggregate, type Fold } from '../load/load-aggregate.ts';
import { isConcurrencyConflict } from '../port/errors.ts';
import { EMPTY_HEAD, type AppendPart, type EventLog } from '../port/event-log.ts';
import { encodeEvent } from '../record/encode-event.ts';
import { connectAs, FreshLogs } from '../testing/fresh-logs.ts';
import { allOf } from '../testing/reading.ts';
import { claimsOf, part, pauseOf, runRef, scheduleRef } from '../testing/sample-events.ts';
import { describeSnapshotStore } from '../testing/snapshot-store-contract.ts';
import { exportLog } from '../transfer/export-log.ts';
import { compareLogWithExport, importLog } from '../transfer/import-log.ts';
import { verifyLog } from '../transfer/verify-log.ts';
import { openEventLog } from './jetstream-event-log.ts';
import { openSnapshotStore } from './jetstream-snapshot-store.ts';
import { wireHeaders } from './publish-events.ts';

let nats: TestNats;
let logs: FreshLogs;
let log: EventLog;

beforeAll(async () => {
  nats = await startTestNats();
  logs = new FreshLogs(nats);
});

beforeEach(async () => {
  log = await logs.open();
});

afterAll(async () => {
  await logs.close();
  await nats.close();
});

const countingOf = (type: Fold<number>['type']): Fold<number> => ({
  type,
  initial: () => 0,
  evolve: (count, events) => count + events.length,
});
const counting = countingOf('run');

/** Loads and appends as one, and again when somebody else was faster. */
async function claimEach(appender: EventLog, runs: readonly string[], count: number, cause: string) {
  for (;;) {
    const parts: AppendPart[] = [];
    for (const run of runs) {
      const { head } = await loadAggregate(appender, counting, run);
      parts.push(part(runRef(run), head, claimsOf(run, count, cause)));
    }
    try {
      await appender.append(parts);
      return parts.flatMap(({ events }) => events.map(({ id }) => id));
    } catch (thrown) {
      if (!isConcurrencyConflict(thrown)) throw thrown;
    }
  }
}

describeSnapshotStore('JetStream', async () => openSnapshotStore(await logs.link('scheduler')));

describe('several appenders at once', () => {
  it('lose nothing and double nothing, and every head fits', async () => {
    const links = await Promise.all([connectAs(nats, 'scheduler'), connectAs(nats, 'mover')]);
    const opened = await Promise.all(links.map((link) => openEventLog(link)));
    let round = 0;
    const decision = fc.record({
      runs: fc.uniqueArray(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
      count: fc.integer({ min: 1, max: 4 }),
    });
    const decisions = fc.array(decision, { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(decisions, decisions, async (...plans) => {
        round += 1;
        const named = (run: number) => `run-${round}-${run}`;
        const before = await log.lastSequence();
        const decided = await Promise.all(
          plans.map(async (plan, appender) => {
            const ids: string[] = [];
            for (const [turn, { runs, count }] of plan.entries()) {
              const appending = opened[appender] ?? log;
              ids.push(...(await claimEach(appending, runs.map(named), count, `${appender}/${turn}`)));
            }
            return ids;
          }),
        );
        const appended = await allOf(log.read({ from: before + 1 }));
        expect(appended.map(({ id }) => id).sort()).toEqual(decided.flat().sort());
        for (const run of [1, 2, 3]) {
          const { head } = await loadAggregate(log, counting, named(run));
          expect(await log.head(runRef(named(run)))).toEqual(head);
        }
      }),
      { numRuns: 8 },
    );
    expect(await verifyLog(log)).toMatchObject({ problemCount: 0 });
    for (const link of links) await link.close();
  });
});

describe('an event that somebody put into the log past its rules', () => {
  /** As a program with a service's credentials could: without expectation, check or chain. */
  const smuggle = async (event: ReturnType<typeof encodeEvent>) => {
    const { js } = await logs.link('mover');
    await js.publish(event.subject, event.data, { headers: wireHeaders(event.headers) });
  };
  const sample = (run: string, cause: string) => {
    const [event] = claimsOf(run, 1, cause);
    if (!event) throw new Error('no sample');
    return event;
  };

  it.each<[string, () => ReturnType<typeof encodeEvent>, string]>([
    [
      'without a place in the chain',
      () => encodeEvent(sample('run-a', 'forged'), ''),
      'event-log.chain-broken',
    ],
    [
      'that breaks its schema',
      () => ({ ...encodeEvent(sample('run-b', 'forged'), ''), data: Buffer.from('{}') }),
      'event-log.unreadable-event',
    ],
    [
      'of a type that is not known',
      () => ({ ...encodeEvent(sample('run-b', 'forged'), ''), subject: 'catena.events.run.run-b.sung' }),
      'event-log.unreadable-event',
    ],
  ])('stops readers and followers at its sequence: %s', async (_, forge, code) => {
    await log.append([part(runRef('run-a'), EMPTY_HEAD, claimsOf('run-a', 2))]);
    await smuggle(forge());
    await log.append([part(scheduleRef('sch-1'), EMPTY_HEAD, pauseOf('sch-1'))]);
    const never = new AbortController().signal;
    await expect(allOf(log.follow({ from: 1, signal: never }))).rejects.toMatchObject({ code, sequence: 3 });
    const forged = code === 'event-log.chain-broken' ? 'run-a' : 'run-b';
    await expect(loadAggregate(log, counting, forged)).rejects.toMatchObject({ code, sequence: 3 });
    expect(await loadAggregate(log, countingOf('schedule'), 'sch-1')).toMatchObject({ state: 1 });
    const { problems } = await verifyLog(log);
    expect(problems.map(({ sequence, error }) => [sequence, error.code])).toEqual([[3, code]]);
  });

  it('stops a subscription, which hands nothing on and buries nothing', async () => {
    await smuggle({ ...encodeEvent(sample('run-b', 'forged'), ''), data: Buffer.from('{}') });
    const handled: number[] = [];
    const delivering = log.deliver(
      { name: 'mail', backoff: [], signal: new AbortController().signal },
      async (event) => {
        handled.push(event.sequence);
      },
    );
    await expect(delivering).rejects.toMatchObject({ code: 'event-log.unreadable-event', sequence: 1 });
    expect([handled, await log.deadLetters.count()]).toEqual([[], 0]);
  });
});

describe('a log that is taken elsewhere', () => {
  it('comes back whole on another server', async () => {
    for (let run = 1; run <= 30; run++) {
      await log.append([part(runRef(`run-${run}`), EMPTY_HEAD, claimsOf(`run-${run}`, 50))]);
    }
    const exportedAt = '2026-03-02T00:00:00.000Z';
    const bytes = Buffer.concat(await allOf(exportLog(log, { exportedAt })));
    const open = async function* () {
      yield bytes;
    };
    const before = await allOf(log.read());
    const empty = await logs.open();
    expect(await importLog(empty, open)).toEqual({ imported: 1500, present: 0, last: 1500 });
    expect(await allOf(empty.read())).toEqual(before);
    expect(await verifyLog(empty)).toMatchObject({ events: 1500, aggregates: 30, problemCount: 0 });
    expect(await compareLogWithExport(empty, open)).toMatchObject({ same: 1500, differenceCount: 0 });
    const again = await empty.append([
      part(runRef('run-1'), await empty.head(runRef('run-1')), claimsOf('run-1', 1, 'on')),
    ]);
    expect(again.sequence).toBe(1501);
    await expect(importLog(empty, open)).rejects.toMatchObject({ code: 'event-log.import-elsewhere' });
  });

  it('is restored only to its end, and a repetition is harmless', async () => {
    await log.append([part(runRef('run-a'), EMPTY_HEAD, claimsOf('run-a', 5))]);
    const events = await allOf(log.readStored());
    const other = await logs.open();
    await expect(other.restoreStored(events.slice(1))).rejects.toMatchObject({
      code: 'event-log.append-refused',
    });
    await other.restoreStored(events.slice(0, 3));
    await other.restoreStored(events.slice(0, 3));
    await other.restoreStored(events.slice(3));
    expect(await allOf(other.readStored({ from: 4 }))).toHaveLength(2);
    expect(await verifyLog(other)).toMatchObject({ events: 5, problemCount: 0 });
  });
});
