import { describe, expect, it } from '@jest/globals';
import { EMPTY_HEAD, type EventLog } from '../port/event-log.ts';
import { allOf, collect, range } from './reading.ts';
import { claimsOf, part, pauseOf, runRef, scheduleRef } from './sample-events.ts';

/** The part of the contract about following. */
export function describeFollowing(open: () => Promise<EventLog>): void {
  const following = async (use: (log: EventLog, stop: AbortController) => Promise<void>) => {
    const log = await open();
    const stop = new AbortController();
    try {
      await use(log, stop);
    } finally {
      stop.abort();
      await log.close();
    }
  };
  const add = (log: EventLog, run: string, count: number) =>
    log.append([part(runRef(run), EMPTY_HEAD, claimsOf(run, count))]);

  describe('followed', () => {
    it('gives what is there, then what comes, until the signal aborts', () =>
      following(async (log, stop) => {
        await add(log, 'run-1', 3);
        const seen = collect(log.follow({ from: 1, signal: stop.signal }));
        await seen.reached(3);
        await add(log, 'run-2', 2);
        await seen.reached(5);
        await add(log, 'run-3', 1);
        await seen.reached(6);
        stop.abort();
        await seen.ended;
        expect(seen.sequences).toEqual(range(1, 6));
      }));

    it('starts at a position, also at the end of the log', () =>
      following(async (log, stop) => {
        await add(log, 'run-1', 3);
        const behind = collect(log.follow({ from: 3, signal: stop.signal }));
        const atEnd = collect(log.follow({ from: 4, signal: stop.signal }));
        await add(log, 'run-2', 1);
        await Promise.all([behind.reached(4), atEnd.reached(4)]);
        expect([behind.sequences, atEnd.sequences]).toEqual([[3, 4], [4]]);
      }));

    it('hands over at most the size of a batch', () =>
      following(async (log, stop) => {
        await add(log, 'run-1', 25);
        const sizes: number[] = [];
        for await (const batch of log.follow({ from: 1, batchSize: 10, signal: stop.signal })) {
          sizes.push(batch.events.length);
          if (batch.through === 25) stop.abort();
        }
        expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
        expect(sizes.reduce((sum, size) => sum + size)).toBe(25);
      }));

    it('says how far it saw the log also when nothing passes the filter', () =>
      following(async (log, stop) => {
        await add(log, 'run-1', 2);
        await log.append([part(scheduleRef('sch-1'), EMPTY_HEAD, pauseOf('sch-1'))]);
        const seen = collect(log.follow({ from: 1, types: ['schedule.paused'], signal: stop.signal }));
        await seen.reached(3);
        await add(log, 'run-2', 2);
        await seen.reached(5);
        expect([seen.sequences, seen.through]).toEqual([[3], 5]);
      }));

    it('refuses a position beyond the log: it is another log, or it lost events', () =>
      following(async (log, stop) => {
        await add(log, 'run-1', 2);
        const lost = allOf(log.follow({ from: 9, signal: stop.signal }));
        await expect(lost).rejects.toMatchObject({
          code: 'event-log.position-beyond',
          details: { position: 8, last: 2 },
        });
      }));

    it('ends at once when the signal is aborted already', () =>
      following(async (log, stop) => {
        await add(log, 'run-1', 2);
        stop.abort();
        expect(await allOf(log.follow({ from: 1, signal: stop.signal }))).toEqual([]);
      }));
  });
}
