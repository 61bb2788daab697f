import type { EventBatch } from '../port/event-log.ts';

/** Everything an iteration gives. */
export async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What a follower has seen so far, collected until told to stop. */
export interface Collected {
  readonly sequences: number[];
  through: number;
  /** Resolves when the follower has seen the log up to the sequence; rejects when following failed. */
  reached(sequence: number): Promise<void>;
  /** Resolves when following has ended. */
  readonly ended: Promise<void>;
}

/** Collects what follows come to. */
export function collect(batches: AsyncIterable<EventBatch>): Collected {
  const waiting: { sequence: number; resolve: () => void; reject: (reason: unknown) => void }[] = [];
  const collected = { sequences: [] as number[], through: 0 };
  const settle = () => {
    for (const each of waiting) if (each.sequence <= collected.through) each.resolve();
  };
  const ended = (async () => {
    try {
      for await (const batch of batches) {
        collected.sequences.push(...batch.events.map(({ sequence }) => sequence));
        collected.through = batch.through;
        settle();
      }
    } catch (thrown) {
      for (const each of waiting) each.reject(thrown);
      throw thrown;
    }
  })();
  // Whoever waits for `reached` hears of a failure there, and `ended` still rejects for those who ask.
  ended.catch(() => undefined);
  return Object.assign(collected, {
    ended,
    reached: (sequence: number) =>
      new Promise<void>((resolve, reject) => {
        waiting.push({ sequence, resolve, reject });
        settle();
      }),
  });
}

/** Numbers from the first to the last, both included. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
