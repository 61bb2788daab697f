import { describe, expect, it } from '@jest/globals';
import { CatenaError } from '@catena/events';
import { EMPTY_HEAD, type DurableOptions, type EventLog } from '../port/event-log.ts';
import { range } from './reading.ts';
import { claimsOf, part, pauseOf, runRef, scheduleRef } from './sample-events.ts';

/** The part of the contract about durable deliveries and dead letters. */
export function describeDeliveries(open: () => Promise<EventLog>): void {
  const delivering = async (use: (log: EventLog, subscribe: Subscribe) => Promise<void>) => {
    const log = await open();
    const subscriptions: Subscription[] = [];
    try {
      await use(log, (options, fail, gate) => {
        const subscription = new Subscription(log, options, fail, gate);
        subscriptions.push(subscription);
        return subscription;
      });
    } finally {
      await Promise.all(subscriptions.map((subscription) => subscription.stop()));
      await log.close();
    }
  };
  const add = (log: EventLog, run: string, count: number) =>
    log.append([part(runRef(run), EMPTY_HEAD, claimsOf(run, count))]);

  describe('delivering', () => {
    it('delivers each event and keeps its position for the next start', () =>
      delivering(async (log, subscribe) => {
        await add(log, 'run-1', 3);
        const first = subscribe({ name: 'mail' });
        await first.handledAtLeast(3);
        await first.stop();
        await add(log, 'run-2', 2);
        const second = subscribe({ name: 'mail' });
        await second.handledAtLeast(2);
        expect([first.sequences, second.sequences]).toEqual([
          [1, 2, 3],
          [4, 5],
        ]);
      }));

    it('starts where it is told, with the types it is told', () =>
      delivering(async (log, subscribe) => {
        await add(log, 'run-1', 3);
        const late = subscribe({ name: 'late', from: 3 });
        await late.handledAtLeast(1);
        const typed = subscribe({ name: 'typed', types: ['schedule.paused'] });
        await log.append([part(scheduleRef('sch-1'), EMPTY_HEAD, pauseOf('sch-1'))]);
        await late.handledAtLeast(2);
        await typed.handledAtLeast(1);
        expect([late.sequences, typed.sequences]).toEqual([[3, 4], [4]]);
      }));

    it('shares the work among the processes of a name', () =>
      delivering(async (log, subscribe) => {
        const [one, two] = [subscribe({ name: 'shared' }), subscribe({ name: 'shared' })];
        await add(log, 'run-1', 20);
        while (one.sequences.length + two.sequences.length < 20) await Promise.race([one.next(), two.next()]);
        expect([...one.sequences, ...two.sequences].sort((a, b) => a - b)).toEqual(range(1, 20));
      }));

    it('tries again after each delay, and goes on with other events meanwhile', () =>
      delivering(async (log, subscribe) => {
        await add(log, 'run-1', 2);
        const flaky = subscribe(
          { name: 'flaky', backoff: [10, 10, 10] },
          (sequence, attempt) => sequence === 1 && attempt < 3,
        );
        await flaky.handledAtLeast(4);
        const attempts = flaky.handled.filter(({ sequence }) => sequence === 1).map(({ attempt }) => attempt);
        expect(attempts).toEqual([1, 2, 3]);
        expect(flaky.sequences.filter((sequence) => sequence === 2)).toEqual([2]);
        expect(await log.deadLetters.count()).toBe(0);
      }));

    it('tells how many events keep failing', () =>
      delivering(async (log, subscribe) => {
        await add(log, 'run-1', 3);
        const hour = 3_600_000;
        const stuck = subscribe({ name: 'stuck', backoff: [5, hour] }, (sequence) => sequence !== 2);
        await stuck.handledAtLeast(5);
        while ((await log.retrying('stuck')) < 2) await new Promise((resolve) => setImmediate(resolve));
        expect(await log.retrying('stuck')).toBe(2);
        expect(await log.retrying('nobody')).toBe(0);
      }));

    it('begins anew under a name that was forgotten; forgetting one that is not there does nothing', () =>
      delivering(async (log, subscribe) => {
        await add(log, 'run-1', 3);
        const first = subscribe({ name: 'gone' });
        await first.handledAtLeast(3);
        await first.stop();
        await log.forget('gone');
        await log.forget('gone');
        const second = subscribe({ name: 'gone', from: 2 });
        await second.handledAtLeast(2);
        expect(second.sequences).toEqual([2, 3]);
      }));

    it('makes a dead letter of what fails for good, and delivers or discards it when told', () =>
      delivering(async (log, subscribe) => {
        await add(log, 'run-1', 3);
        let broken = true;
        const hook = subscribe({ name: 'hook', backoff: [5] }, (sequence) => broken && sequence !== 2);
        await untilCount(log, 2);
        expect(await log.deadLetters.list({ consumer: 'another' })).toEqual([]);
        const [first, third] = await log.deadLetters.list({ consumer: 'hook' });
        expect(first).toMatchObject({
          consumer: 'hook',
          sequence: 1,
          attempts: 2,
          event: { type: 'run.claimed', aggregate: runRef('run-1') },
          error: { code: 'test.broken', message: 'it is broken', remedy: 'mend it', retryable: true },
        });
        expect(third).toMatchObject({ sequence: 3 });
        broken = false;
        const before = hook.handled.length;
        await log.deadLetters.redeliver({ consumer: 'hook', sequence: 1 });
        await hook.handledAtLeast(before + 1);
        expect(hook.handled.at(-1)).toEqual({ sequence: 1, attempt: 1 });
        await log.deadLetters.discard({ consumer: 'hook', sequence: 3 });
        expect(await log.deadLetters.count({ consumer: 'hook' })).toBe(0);
        await expect(log.deadLetters.discard({ consumer: 'hook', sequence: 3 })).rejects.toMatchObject({
          code: 'event-log.no-dead-letter',
        });
      }));

    it('ends after the handler that runs has finished', () =>
      delivering(async (log, subscribe) => {
        await add(log, 'run-1', 1);
        let release = () => {};
        const gate = new Promise<void>((resolve) => (release = resolve));
        const slow = subscribe({ name: 'slow' }, () => false, gate);
        await slow.started;
        let ended = false;
        const stopping = slow.stop().then(() => (ended = true));
        await new Promise((resolve) => setImmediate(resolve));
        expect(ended).toBe(false);
        release();
        await stopping;
        expect(slow.sequences).toEqual([1]);
      }));
  });
}

type Subscribe = (
  options: Partial<DurableOptions> & Pick<DurableOptions, 'name'>,
  fail?: (sequence: number, attempt: number) => boolean,
  gate?: Promise<void>,
) => Subscription;

/** A delivery at work and what it got. */
class Subscription {
  readonly handled: { sequence: number; attempt: number }[] = [];
  readonly started: Promise<void>;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #wake: (() => void)[] = [];

  constructor(
    log: EventLog,
    options: Partial<DurableOptions> & Pick<DurableOptions, 'name'>,
    fail: (sequence: number, attempt: number) => boolean = () => false,
    gate: Promise<void> = Promise.resolve(),
  ) {
    let began = () => {};
    this.started = new Promise((resolve) => (began = resolve));
    this.#running = log.deliver(
      { backoff: [], ...options, signal: this.#stop.signal },
      async ({ sequence }, { attempt }) => {
        began();
        await gate;
        this.handled.push({ sequence, attempt });
        for (const wake of this.#wake.splice(0)) wake();
        if (fail(sequence, attempt))
          throw new CatenaError('test.broken', 'it is broken', { remedy: 'mend it', retryable: true });
      },
    );
  }

  get sequences(): number[] {
    return this.handled.map(({ sequence }) => sequence);
  }

  next(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  async handledAtLeast(count: number): Promise<void> {
    while (this.handled.length < count) await Promise.race([this.next(), this.#running]);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

async function untilCount(log: EventLog, count: number): Promise<void> {
  while ((await log.deadLetters.count()) < count) await new Promise((resolve) => setTimeout(resolve, 5));
}
