import { describe, expect, it } from '@jest/globals';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { MemoryEventLog } from '../memory/memory-event-log.ts';
import { EMPTY_HEAD, type EventLog } from '../port/event-log.ts';
import { allOf } from '../testing/reading.ts';
import { claimsOf, part, pauseOf, runRef, scheduleRef } from '../testing/sample-events.ts';
import { exportLog } from './export-log.ts';
import { compareLogWithExport, importLog } from './import-log.ts';
import { verifyLog } from './verify-log.ts';

const exportedAt = '2026-03-02T00:00:00.000Z';
const then = () => new Date('2020-01-01T00:00:00.000Z');

async function filledLog(runs: number): Promise<EventLog> {
  const log = new MemoryEventLog({ now: then });
  for (let run = 1; run <= runs; run++) {
    await log.append([part(runRef(`run-${run}`), EMPTY_HEAD, claimsOf(`run-${run}`, 2))]);
  }
  await log.append([part(scheduleRef('sch-1'), EMPTY_HEAD, pauseOf('sch-1'))]);
  return log;
}

async function exported(log: EventLog, from = 1): Promise<Buffer> {
  return Buffer.concat(await allOf(exportLog(log, { exportedAt, from })));
}

function opening(bytes: Uint8Array) {
  return async function* () {
    yield bytes;
  };
}

function edited(bytes: Uint8Array, edit: (lines: string[]) => string[]): Uint8Array {
  const lines = zstdDecompressSync(bytes).toString('utf8').trimEnd().split('\n');
  return zstdCompressSync(`${edit(lines).join('\n')}\n`);
}

describe('export and import', () => {
  it('bring back every event with its sequence, id, times and hash', async () => {
    const log = await filledLog(600);
    const copy = new MemoryEventLog();
    expect(await importLog(copy, opening(await exported(log)))).toEqual({
      imported: 1201,
      present: 0,
      last: 1201,
    });
    expect(await allOf(copy.read())).toEqual(await allOf(log.read()));
    expect((await allOf(copy.read()))[0]?.recordedAt).toBe('2020-01-01T00:00:00.000Z');
    expect(await verifyLog(copy)).toMatchObject({ events: 1201, aggregates: 601, problemCount: 0 });
  });

  it('an export of an import is the same again', async () => {
    const log = await filledLog(2);
    const copy = new MemoryEventLog();
    const bytes = await exported(log);
    await importLog(copy, opening(bytes));
    const again = new MemoryEventLog();
    await importLog(again, opening(await exported(copy)));
    expect(await allOf(again.read())).toEqual(await allOf(log.read()));
    expect(await compareLogWithExport(again, opening(bytes))).toMatchObject({ same: 5, differenceCount: 0 });
  });

  it('go on where an import was broken off', async () => {
    const log = await filledLog(3);
    const copy = new MemoryEventLog();
    const first = await allOf(log.readStored({ to: 3 }));
    await copy.restoreStored(first);
    expect(await importLog(copy, opening(await exported(log)))).toEqual({ imported: 4, present: 3, last: 7 });
    expect(await allOf(copy.read())).toEqual(await allOf(log.read()));
  });

  it('refuse a log that has other events, or more of them', async () => {
    const log = await filledLog(1);
    const other = await filledLog(0);
    await expect(importLog(other, opening(await exported(log)))).rejects.toMatchObject({
      code: 'event-log.import-elsewhere',
    });
    await expect(importLog(log, opening(await exported(other)))).rejects.toMatchObject({
      code: 'event-log.import-elsewhere',
    });
    expect([await other.lastSequence(), await log.lastSequence()]).toEqual([1, 3]);
  });

  it('carry an empty log', async () => {
    const copy = new MemoryEventLog();
    expect(await importLog(copy, opening(await exported(new MemoryEventLog())))).toEqual({
      imported: 0,
      present: 0,
      last: 0,
    });
  });

  it.each<[string, (bytes: Buffer) => Uint8Array]>([
    ['cut short', (bytes) => bytes.subarray(0, bytes.length - 20)],
    ['without its last line', (bytes) => edited(bytes, (lines) => lines.slice(0, -1))],
    ['without one event', (bytes) => edited(bytes, (lines) => lines.filter((_, index) => index !== 2))],
    [
      'with its events swapped',
      (bytes) => edited(bytes, ([head = '', a = '', b = '', ...rest]) => [head, b, a, ...rest]),
    ],
    [
      'with changed data',
      (bytes) => edited(bytes, (lines) => lines.map((line) => line.replace('mover-1', 'mover-2'))),
    ],
    [
      'with another time',
      (bytes) =>
        edited(bytes, (lines) => lines.map((line) => line.replace('"storedAt":"2020', '"storedAt":"2021'))),
    ],
    ['with something behind its end', (bytes) => edited(bytes, (lines) => [...lines, '{}'])],
    ['of another kind', () => zstdCompressSync('{"format":"else"}\n')],
    ['that is not compressed', () => Buffer.from('{}')],
  ])('refuse an export %s, and write nothing', async (_, damage) => {
    const copy = new MemoryEventLog();
    const damaged = damage(await exported(await filledLog(2)));
    await expect(importLog(copy, opening(damaged))).rejects.toMatchObject({
      code: expect.stringMatching(/^event-log\.(export-damaged|gap|chain-broken)$/),
    });
    expect(await copy.lastSequence()).toBe(0);
  });

  it('compare a log that went on with an older export', async () => {
    const log = await filledLog(2);
    const bytes = await exported(log);
    await log.append([part(runRef('run-9'), EMPTY_HEAD, claimsOf('run-9', 2))]);
    expect(await compareLogWithExport(log, opening(bytes))).toEqual({
      ...{ same: 5, differences: [], differenceCount: 0 },
      ...{ onlyInExport: 0, onlyInLog: 2, last: 7 },
    });
    const later = await exported(log, 4);
    expect(await compareLogWithExport(log, opening(later))).toMatchObject({ same: 4, onlyInLog: 3 });
    expect(await compareLogWithExport(await filledLog(1), opening(bytes))).toMatchObject({
      ...{ same: 2, differences: [3], onlyInExport: 2 },
    });
  });
});

describe('verifying a log', () => {
  it('finds every problem and goes on behind it', async () => {
    const log = await filledLog(3);
    const events = await allOf(log.readStored());
    const tampered = events.map((event) => {
      if (event.sequence === 1) return { ...event, data: Buffer.from('{"attempt":1,"mover":"mover-9"}') };
      if (event.sequence === 3) return { ...event, data: Buffer.from('{"attempt":"many"}') };
      if (event.sequence === 6) return { ...event, subject: 'catena.events.run.run-3.unheard-of' };
      return event;
    });
    const copy = new MemoryEventLog();
    await copy.restoreStored(tampered);
    const { problems, problemCount } = await verifyLog(copy);
    expect(problems.map(({ sequence, error }) => [sequence, error.code])).toEqual([
      [2, 'event-log.chain-broken'],
      [3, 'event-log.unreadable-event'],
      [4, 'event-log.chain-broken'],
      [6, 'event-log.unreadable-event'],
    ]);
    expect(problemCount).toBe(4);
  });

  it('counts beyond what it describes', async () => {
    const log = await filledLog(150);
    const copy = new MemoryEventLog();
    await copy.restoreStored(
      (await allOf(log.readStored())).map((event) => ({ ...event, data: Buffer.from('{}') })),
    );
    const { problems, problemCount } = await verifyLog(copy);
    expect(problems).toHaveLength(100);
    expect(problemCount).toBe(451);
  });
});
