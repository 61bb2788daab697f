import { describe, expect, it } from '@jest/globals';
import { EventNotUnderstoodError, type AnyRecordedEvent } from '@catena/events';
import { AppendRefusedError, ConcurrencyConflictError } from '../port/errors.ts';
import { EMPTY_HEAD, type AggregateHead, type EventLog } from '../port/event-log.ts';
import { MAX_EVENTS_PER_APPEND } from '../record/prepare-append.ts';
import { describeDeliveries } from './deliveries-contract.ts';
import { describeFollowing } from './following-contract.ts';
import { allOf } from './reading.ts';
import { claimsOf, part, pauseOf, runRef, scheduleRef } from './sample-events.ts';

/** Opens an empty log for one test; the suite closes it. */
export type OpenLog = () => Promise<EventLog>;

/** What every event log must do. Each test opens a log of its own. */
export function describeEventLog(name: string, open: OpenLog): void {
  describe(`${name} as an event log`, () => {
    describeAppending(open);
    describeReading(open);
    describeFollowing(open);
    describeDeliveries(open);
  });
}

async function withLog<T>(open: OpenLog, use: (log: EventLog) => Promise<T>): Promise<T> {
  const log = await open();
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}

function describeAppending(open: OpenLog): void {
  const run = runRef('run-a');
  const other = runRef('run-b');

  it('numbers events from 1 and chains the hashes of an aggregate', () =>
    withLog(open, async (log) => {
      const first = await log.append([part(run, EMPTY_HEAD, claimsOf('run-a', 1))]);
      expect(first).toMatchObject({ sequence: 1, repeated: false, heads: [{ sequence: 1 }] });
      const between = await log.append([part(other, EMPTY_HEAD, claimsOf('run-b', 1))]);
      const second = await log.append([part(run, headAt(first, 0), claimsOf('run-a', 2, 'again'))]);
      expect([between.sequence, second.sequence]).toEqual([2, 4]);
      const [a, b, c, d] = await allOf(log.read());
      expect([a, b, c, d].map((event) => event?.previousHash)).toEqual(['', '', a?.hash, c?.hash]);
      expect(second.heads).toEqual([{ sequence: 4, hash: d?.hash }]);
    }));

  it('gives back what was appended, with every attribute', () =>
    withLog(open, async (log) => {
      const [event] = pauseOf('sch-1');
      await log.append([part(scheduleRef('sch-1'), EMPTY_HEAD, pauseOf('sch-1'))]);
      const [recorded] = await allOf(log.read());
      expect(recorded).toMatchObject({ ...event, sequence: 1, previousHash: '' });
      expect(recorded?.recordedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(recorded?.hash).toMatch(/^[\w-]{43}$/);
    }));

  it('refuses an append whose aggregate is elsewhere, and writes nothing', () =>
    withLog(open, async (log) => {
      const { heads } = await log.append([part(run, EMPTY_HEAD, claimsOf('run-a', 2))]);
      const stale = log.append([part(run, EMPTY_HEAD, claimsOf('run-a', 1, 'late'))]);
      await expect(stale).rejects.toThrow(ConcurrencyConflictError);
      await expect(stale).rejects.toMatchObject({
        code: 'event-log.conflict',
        retryable: true,
        aggregate: run,
      });
      const ahead = { sequence: 7, hash: heads[0]?.hash ?? '' };
      await expect(log.append([part(run, ahead, claimsOf('run-a', 1, 'early'))])).rejects.toThrow(
        ConcurrencyConflictError,
      );
      expect(await log.lastSequence()).toBe(2);
    }));

  it('appends over several aggregates whole or not at all', () =>
    withLog(open, async (log) => {
      const schedule = scheduleRef('sch-1');
      const both = await log.append([
        part(schedule, EMPTY_HEAD, pauseOf('sch-1')),
        part(run, EMPTY_HEAD, claimsOf('run-a', 2)),
      ]);
      expect(both.heads.map(({ sequence }) => sequence)).toEqual([1, 3]);
      const halfStale = log.append([
        part(schedule, headAt(both, 0), pauseOf('sch-1', 'second')),
        part(run, headAt(both, 0), claimsOf('run-a', 1, 'second')),
      ]);
      await expect(halfStale).rejects.toMatchObject({ code: 'event-log.conflict', aggregate: run });
      expect(await log.lastSequence()).toBe(3);
      const appended = await log.append([
        part(schedule, headAt(both, 0), pauseOf('sch-1', 'third')),
        part(run, headAt(both, 1), claimsOf('run-a', 1, 'third')),
        part(other, EMPTY_HEAD, claimsOf('run-b', 1)),
      ]);
      expect(appended.sequence).toBe(6);
      expect(appended.heads).toEqual(await Promise.all([schedule, run, other].map((each) => log.head(each))));
    }));

  it.each([
    ['one event', 1],
    ['a batch', 3],
  ])('answers a repetition of %s with the heads it had, whoever appended behind it', (_, count) =>
    withLog(open, async (log) => {
      const parts = [part(run, EMPTY_HEAD, claimsOf('run-a', count))];
      const first = await log.append(parts);
      expect(await log.append(parts)).toEqual({ ...first, repeated: true });
      await log.append([part(run, headAt(first, 0), claimsOf('run-a', 2, 'behind'))]);
      await log.append([part(other, EMPTY_HEAD, claimsOf('run-b', 1))]);
      expect(await log.append(parts)).toEqual({ ...first, repeated: true });
      expect(await log.lastSequence()).toBe(count + 3);
    }),
  );

  it('answers a repetition that expects the head it made itself', () =>
    withLog(open, async (log) => {
      const events = claimsOf('run-a', 1);
      const first = await log.append([part(run, EMPTY_HEAD, events)]);
      expect(await log.append([part(run, headAt(first, 0), events)])).toEqual({ ...first, repeated: true });
      expect(await log.lastSequence()).toBe(1);
    }));

  it('refuses an append of which it has only a part', () =>
    withLog(open, async (log) => {
      const events = claimsOf('run-a', 2);
      const first = await log.append([part(run, EMPTY_HEAD, events.slice(0, 1))]);
      await expect(log.append([part(run, headAt(first, 0), events)])).rejects.toThrow(AppendRefusedError);
      expect(await log.lastSequence()).toBe(1);
    }));

  it('takes a thousand events at once and no more', () =>
    withLog(open, async (log) => {
      const many = await log.append([part(run, EMPTY_HEAD, claimsOf('run-a', MAX_EVENTS_PER_APPEND))]);
      expect(many.sequence).toBe(MAX_EVENTS_PER_APPEND);
      const tooMany = [part(other, EMPTY_HEAD, claimsOf('run-b', MAX_EVENTS_PER_APPEND + 1))];
      await expect(log.append(tooMany)).rejects.toMatchObject({
        code: 'event-log.append-refused',
        retryable: false,
      });
      expect(await log.lastSequence()).toBe(MAX_EVENTS_PER_APPEND);
    }));

  it('refuses payloads, envelopes and heads that it could not read back', () =>
    withLog(open, async (log) => {
      const [event] = claimsOf('run-a', 1);
      if (!event) throw new Error('no sample');
      const wrongData = { ...event, data: { attempt: 'one' } } as unknown as typeof event;
      const newer = { ...event, version: 99 };
      const wrongTime = { ...event, time: '2026-03-01 12:00' };
      for (const wrong of [wrongData, newer, wrongTime]) {
        await expect(log.append([part(run, EMPTY_HEAD, [wrong])])).rejects.toThrow(EventNotUnderstoodError);
      }
      const halves: AggregateHead[] = [
        { sequence: 3, hash: '' },
        { sequence: 0, hash: event.id },
      ];
      for (const half of halves) {
        await expect(log.append([part(run, half, [event])])).rejects.toThrow(AppendRefusedError);
      }
      const twice = [part(run, EMPTY_HEAD, [event]), part(run, EMPTY_HEAD, claimsOf('run-a', 1, 'other'))];
      for (const parts of [[], [part(run, EMPTY_HEAD, [])], [part(other, EMPTY_HEAD, [event])], twice]) {
        await expect(log.append(parts)).rejects.toThrow(AppendRefusedError);
      }
      expect(await log.lastSequence()).toBe(0);
    }));

  it('lets one of several appenders win each place', () =>
    withLog(open, async (log) => {
      const append = async (appender: number) => {
        for (let own = 0; own < 5;) {
          try {
            await log.append([part(run, await log.head(run), claimsOf('run-a', 2, `${appender}/${own}`))]);
            own += 1;
          } catch (thrown) {
            if (!(thrown instanceof ConcurrencyConflictError)) throw thrown;
          }
        }
      };
      await Promise.all([1, 2, 3].map(append));
      const events = await allOf(log.read({ aggregate: run }));
      expect(new Set(events.map(({ id }) => id)).size).toBe(30);
      expect(events).toHaveLength(30);
    }));
}

function describeReading(open: OpenLog): void {
  const read = async (log: EventLog, options: Parameters<EventLog['read']>[0]) =>
    (await allOf(log.read(options))).map(({ sequence }) => sequence);

  /** 1 schedule, 2–3 run-a, 4–5 run-b, 6 schedule. */
  const fill = async (log: EventLog) => {
    const schedule = scheduleRef('sch-1');
    const { heads } = await log.append([
      part(schedule, EMPTY_HEAD, pauseOf('sch-1')),
      part(runRef('run-a'), EMPTY_HEAD, claimsOf('run-a', 2)),
      part(runRef('run-b'), EMPTY_HEAD, claimsOf('run-b', 2)),
    ]);
    await log.append([part(schedule, heads[0] ?? EMPTY_HEAD, pauseOf('sch-1', 'second'))]);
  };

  it('reads an empty log as nothing', () =>
    withLog(open, async (log) => {
      expect(await read(log, {})).toEqual([]);
      expect(await read(log, { aggregate: runRef('run-a') })).toEqual([]);
      expect(await log.head(runRef('run-a'))).toEqual(EMPTY_HEAD);
      expect(await log.lastSequence()).toBe(0);
    }));

  it('reads from, to, one aggregate and chosen types', () =>
    withLog(open, async (log) => {
      await fill(log);
      expect(await read(log, {})).toEqual([1, 2, 3, 4, 5, 6]);
      expect(await read(log, { from: 3, to: 4 })).toEqual([3, 4]);
      expect(await read(log, { from: 7 })).toEqual([]);
      expect(await read(log, { aggregate: runRef('run-b') })).toEqual([4, 5]);
      expect(await read(log, { aggregate: runRef('run-b'), from: 5 })).toEqual([5]);
      expect(await read(log, { aggregate: scheduleRef('sch-1'), to: 5 })).toEqual([1]);
      expect(await read(log, { types: ['schedule.paused'] })).toEqual([1, 6]);
      expect(await read(log, { types: ['schedule.paused', 'run.claimed'], from: 5 })).toEqual([5, 6]);
      expect(await read(log, { aggregate: runRef('run-a'), types: ['run.claimed'] })).toEqual([2, 3]);
      expect(await read(log, { aggregate: runRef('run-a'), types: ['schedule.paused'] })).toEqual([]);
      expect(await log.head(runRef('run-b'))).toMatchObject({ sequence: 5 });
      expect(await log.lastSequence()).toBe(6);
    }));

  it('ends with the log as it was when reading began', () =>
    withLog(open, async (log) => {
      await fill(log);
      const seen: number[] = [];
      for await (const event of log.read()) {
        seen.push(event.sequence);
        const run = `run-${event.sequence}`;
        await log.append([part(runRef(run), EMPTY_HEAD, claimsOf(run, 1))]);
      }
      expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    }));

  it('stops with the reason of the signal', () =>
    withLog(open, async (log) => {
      await fill(log);
      const stop = new AbortController();
      const seen: AnyRecordedEvent[] = [];
      const reading = (async () => {
        for await (const event of log.read({ signal: stop.signal })) {
          seen.push(event);
          if (seen.length === 2) stop.abort(new Error('enough'));
        }
      })();
      await expect(reading).rejects.toThrow('enough');
      expect(seen).toHaveLength(2);
    }));
}

function headAt(result: { heads: readonly AggregateHead[] }, index: number): AggregateHead {
  return result.heads[index] ?? EMPTY_HEAD;
}
