import { describe, expect, it } from '@jest/globals';
import type { JobQueue, TakenJob } from '../port/job-queue.ts';

/** Opens an empty queue for one test, whose takers are given up after the time if they say nothing. */
export type OpenQueue = (ackWaitMilliseconds: number) => Promise<JobQueue>;

const LONG = 20_000;

/** What every job queue must do. */
export function describeJobQueue(name: string, open: OpenQueue): void {
  const withQueue = async (use: (queue: JobQueue) => Promise<void>, ackWaitMilliseconds = 30_000) => {
    const queue = await open(ackWaitMilliseconds);
    try {
      await use(queue);
    } finally {
      await queue.close();
    }
  };
  const never = new AbortController().signal;
  const take = (queue: JobQueue, kinds = ['backup'], waitMilliseconds = LONG) =>
    queue.take({ kinds, waitMilliseconds, signal: never });
  const taken = async (job: Promise<TakenJob | undefined>) => {
    const there = await job;
    if (!there) throw new Error('no job came');
    return there;
  };

  describe(`${name} as a job queue`, () => {
    it('gives each job to one taker and forgets it when it is acknowledged', () =>
      withQueue(async (queue) => {
        await queue.put({ kind: 'backup', run: 'run-1', key: 'run-1/1' });
        await queue.put({ kind: 'backup', run: 'run-2', key: 'run-2/1' });
        expect(await queue.pending()).toEqual(new Set(['run-1', 'run-2']));
        const jobs = await Promise.all([taken(take(queue)), taken(take(queue))]);
        expect(jobs.map(({ run, kind }) => `${kind} ${run}`).sort()).toEqual([
          'backup run-1',
          'backup run-2',
        ]);
        expect(await queue.pending()).toEqual(new Set(['run-1', 'run-2']));
        for (const job of jobs) await job.acknowledge();
        expect(await queue.pending()).toEqual(new Set());
      }));

    it('waits for a job that comes', () =>
      withQueue(async (queue) => {
        const waiting = taken(take(queue, ['restore', 'backup']));
        await queue.put({ kind: 'backup', run: 'run-1', key: 'run-1/1' });
        expect(await waiting).toMatchObject({ kind: 'backup', run: 'run-1' });
      }));

    it('gives up waiting after the time and when the signal aborts', () =>
      withQueue(async (queue) => {
        expect(await take(queue, ['backup'], 20)).toBeUndefined();
        const stop = new AbortController();
        const waiting = queue.take({ kinds: ['backup'], waitMilliseconds: LONG, signal: stop.signal });
        stop.abort();
        expect(await waiting).toBeUndefined();
      }));

    it('leaves a job for others that comes after a taker has given up', () =>
      withQueue(async (queue) => {
        expect(await take(queue, ['backup'], 20)).toBeUndefined();
        await queue.put({ kind: 'backup', run: 'run-1', key: 'run-1/1' });
        expect(await taken(take(queue))).toMatchObject({ run: 'run-1' });
      }));

    it('gives one taker one job though several kinds have one', () =>
      withQueue(async (queue) => {
        await queue.put({ kind: 'backup', run: 'run-1', key: 'run-1/1' });
        await queue.put({ kind: 'restore', run: 'run-2', key: 'run-2/1' });
        const first = await taken(take(queue, ['backup', 'restore']));
        const second = await taken(take(queue, ['backup', 'restore']));
        expect([first.run, second.run].sort()).toEqual(['run-1', 'run-2']);
      }));

    it('gives only the kinds that were asked for', () =>
      withQueue(async (queue) => {
        await queue.put({ kind: 'backup', run: 'run-1', key: 'run-1/1' });
        expect(await take(queue, ['verify'], 50)).toBeUndefined();
        expect(await taken(take(queue, ['verify', 'backup']))).toMatchObject({ run: 'run-1' });
      }));

    it('adds nothing for a key that it had', () =>
      withQueue(async (queue) => {
        await queue.put({ kind: 'backup', run: 'run-1', key: 'run-1/1' });
        await queue.put({ kind: 'backup', run: 'run-1', key: 'run-1/1' });
        await (await taken(take(queue))).acknowledge();
        expect(await take(queue, ['backup'], 50)).toBeUndefined();
        await queue.put({ kind: 'backup', run: 'run-1', key: 'run-1/2' });
        expect(await taken(take(queue))).toMatchObject({ run: 'run-1' });
      }));

    it('gives a job that was given back to the next taker', () =>
      withQueue(async (queue) => {
        await queue.put({ kind: 'backup', run: 'run-1', key: 'run-1/1' });
        await (await taken(take(queue))).giveBack(0);
        const again = await taken(take(queue));
        await again.giveBack(50);
        await (await taken(take(queue))).acknowledge();
        expect(await queue.pending()).toEqual(new Set());
      }));

    it('gives a job to another one when its taker says nothing any more', () =>
      withQueue(async (queue) => {
        await queue.put({ kind: 'backup', run: 'run-1', key: 'run-1/1' });
        await taken(take(queue));
        expect(await taken(take(queue))).toMatchObject({ run: 'run-1' });
      }, 300));

    it('leaves a job with a taker that says that it works', () =>
      withQueue(async (queue) => {
        await queue.put({ kind: 'backup', run: 'run-1', key: 'run-1/1' });
        const job = await taken(take(queue));
        const atWork = setInterval(() => job.working(), 100);
        try {
          expect(await take(queue, ['backup'], 6_000)).toBeUndefined();
        } finally {
          clearInterval(atWork);
        }
        expect(await taken(take(queue))).toMatchObject({ run: 'run-1' });
      }, 5_000));
  });
}
