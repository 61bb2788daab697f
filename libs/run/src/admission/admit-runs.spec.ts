import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RunPriority, RunWait } from '@catena/events';
import { admitRuns, PATIENCE, type Placed, type WaitingRun } from './admit-runs.ts';
import { placeKey, type Place } from './place.ts';

const platform = (limit: number): Place => ({ kind: 'platform', name: '', limit });
const repository = (name: string, limit: number): Place => ({ kind: 'repository', name, limit });
const source = (name: string, limit: number): Place => ({ kind: 'source', name, limit });

const MINUTE = 60_000;

function waiting(run: string, places: readonly Place[], more: Partial<WaitingRun> = {}): WaitingRun {
  const sequence = Number(/\d+/.exec(run)?.[0] ?? 0);
  return {
    ...{ run, places, sequence, requestedAt: sequence, priority: 'normal', urgent: false, before: 0 },
    ...more,
  };
}

const atWork = (run: string, ...places: Place[]): Placed => ({ run, places });

describe('rule 3.11: limits on what runs at once', () => {
  it('given room for two, when three wait, then the first two begin and the third says for what it waits', () => {
    const two = [platform(2)];
    expect(admitRuns([waiting('r3', two), waiting('r1', two), waiting('r2', two)], [], 0)).toEqual({
      admitted: ['r1', 'r2'],
      held: [{ run: 'r3', wait: { reason: 'platform', limit: 2, by: ['r1', 'r2'] } }],
    });
  });

  it('given a source that is at work, when others wait too, then they pass who waits for that source', () => {
    const a = [source('a', 1), platform(3)];
    const b = [source('b', 1), platform(3)];
    const { admitted, held } = admitRuns([waiting('r1', a), waiting('r2', b)], [atWork('r0', ...a)], 0);
    expect(admitted).toEqual(['r2']);
    expect(held).toEqual([{ run: 'r1', wait: { reason: 'source', of: 'a', limit: 1, by: ['r0'] } }]);
  });

  it('given nothing is limited, then all begin in the order of their requests', () => {
    expect(admitRuns([waiting('r2', []), waiting('r1', [])], [], 0).admitted).toEqual(['r1', 'r2']);
  });

  it('given a person waits for a restore, then it goes first, whatever was asked for before', () => {
    const one = [platform(1)];
    const others = [waiting('r1', one, { priority: 'high' }), waiting('r2', one)];
    expect(admitRuns([...others, waiting('r9', one, { urgent: true })], [], 0).admitted).toEqual(['r9']);
  });

  it.each<[RunPriority, number, string]>([
    ['high', 59, 'r2'],
    ['high', 61, 'r1'],
    ['normal', 1, 'r1'],
    ['low', 1, 'r1'],
  ])('given a %s run asked for %s minutes later, then %s goes first', (priority, minutes, first) => {
    const one = [platform(1)];
    const later = waiting('r2', one, { priority, requestedAt: minutes * MINUTE });
    expect(admitRuns([waiting('r1', one, { requestedAt: 0 }), later], [], 0).admitted).toEqual([first]);
  });

  it('given a schedule that asks for much, then another one that asks later does not wait for all of it', () => {
    const one = [platform(1)];
    const many = [0, 1, 2, 3].map((before) => waiting(`r${before}`, one, { before, requestedAt: before }));
    const other = waiting('r9', one, { requestedAt: 1_000 });
    const order: string[] = [];
    for (let left = [...many, other]; left.length > 0; left = left.filter(({ run }) => run !== order.at(-1)))
      order.push(admitRuns(left, [], 0).admitted[0]!);
    expect(order).toEqual(['r0', 'r9', 'r1', 'r2', 'r3']);
  });

  it('given what was said is still true, then the same is said, whoever is in the way', () => {
    const places = [source('a', 1), platform(1)];
    const busy = [atWork('r0', ...places)];
    const said: RunWait = { reason: 'platform', limit: 1, by: ['r8'] };
    expect(admitRuns([waiting('r1', places, { said })], busy, 0).held[0]?.wait).toEqual({
      ...said,
      by: ['r0'],
    });
  });
});

interface Wish {
  readonly places: readonly Place[];
  readonly after: number;
  readonly takes: number;
  readonly priority: RunPriority;
  readonly urgent: boolean;
  readonly schedule: number;
}

const limits = [source('a', 1), source('b', 2), repository('x', 1), repository('y', 2), platform(2)];
const wish: fc.Arbitrary<Wish> = fc.record({
  places: fc.subarray(limits, { minLength: 1 }),
  after: fc.integer({ min: 0, max: 8 }),
  takes: fc.integer({ min: 1, max: 30 }),
  priority: fc.constantFrom('low', 'normal', 'high'),
  urgent: fc.boolean(),
  schedule: fc.integer({ min: 0, max: 3 }),
});

/** Minute by minute: who asks, who is let in, who is done. Calls back after each admission; answers when each began. */
function simulate(
  wishes: readonly Wish[],
  look: (
    waiting: readonly WaitingRun[],
    before: readonly Placed[],
    admitted: readonly string[],
    now: number,
  ) => void,
): Map<string, number> {
  let asked = 0;
  const runs = wishes.map((one, index) => {
    asked += one.after * MINUTE;
    return { ...one, run: `r${index}`, sequence: index, requestedAt: asked };
  });
  const began = new Map<string, number>();
  const works = new Map<string, { ends: number; placed: Placed }>();
  const end = asked + runs.reduce((sum, { takes }) => sum + takes * MINUTE, 0) + MINUTE;
  for (let now = 0; now <= end; now += MINUTE) {
    for (const [run, { ends }] of works) if (ends <= now) works.delete(run);
    const open = runs.filter(
      ({ run, requestedAt }) => requestedAt <= now && (!began.has(run) || works.has(run)),
    );
    const queue = open
      .filter(({ run }) => !began.has(run))
      .map((one) => ({
        ...one,
        before: open.filter(({ schedule, sequence }) => schedule === one.schedule && sequence < one.sequence)
          .length,
      }));
    const busy = [...works.values()].map(({ placed }) => placed);
    const { admitted } = admitRuns(queue, busy, now);
    look(queue, busy, admitted, now);
    for (const run of admitted) {
      const one = runs.find((other) => other.run === run)!;
      began.set(run, now);
      works.set(run, { ends: now + one.takes * MINUTE, placed: one });
    }
  }
  return began;
}

describe('whatever is asked for', () => {
  const counted = (placed: readonly Placed[]) => {
    const counts = new Map<string, number>();
    for (const { places } of placed)
      for (const place of places) counts.set(placeKey(place), (counts.get(placeKey(place)) ?? 0) + 1);
    return counts;
  };

  it('no limit is ever passed, nothing is free that somebody may have, and the order of the list is all one', () => {
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 25 }), (wishes) => {
        simulate(wishes, (queue, busy, admitted, now) => {
          const in_ = queue.filter(({ run }) => admitted.includes(run));
          const counts = counted([...busy, ...in_]);
          for (const place of limits)
            expect(counts.get(placeKey(place)) ?? 0).toBeLessThanOrEqual(place.limit);
          const held = queue.filter(({ run }) => !admitted.includes(run));
          const isPatient = held.every(({ requestedAt }) => now - requestedAt < PATIENCE);
          const fits = held.filter(({ places }) =>
            places.every((place) => (counts.get(placeKey(place)) ?? 0) < place.limit),
          );
          if (isPatient) expect(fits).toEqual([]);
          expect(admitRuns([...queue].reverse(), busy, now).admitted).toEqual(admitted);
        });
      }),
      { seed: 11, numRuns: 60 },
    );
  });

  it('nobody starves: everybody has begun before all that was asked for could have been done one by one', () => {
    fc.assert(
      fc.property(fc.array(wish, { minLength: 1, maxLength: 40 }), (wishes) => {
        const began = simulate(wishes, () => undefined);
        expect(began.size).toBe(wishes.length);
      }),
      { seed: 12, numRuns: 60 },
    );
  });

  it('one that needs two places is not passed over for ever by others that need one of them', () => {
    // Two streams without end, each renewed before the one before it is over, so that never both places are free.
    const x = repository('x', 1);
    const y = repository('y', 1);
    const streams = Array.from({ length: 60 }, (_, index) => ({
      ...{
        places: [index % 2 === 0 ? x : y],
        after: 2,
        takes: 5,
        priority: 'normal' as const,
        urgent: false,
      },
      schedule: index + 10,
    }));
    const both = {
      places: [x, y],
      after: 0,
      takes: 1,
      priority: 'normal' as const,
      urgent: false,
      schedule: 1,
    };
    const began = simulate([streams[0]!, streams[1]!, both, ...streams.slice(2)], () => undefined);
    expect(began.get('r2')).toBeLessThan(30 * MINUTE);
    expect(Math.max(...began.values())).toBeGreaterThan(2 * 60 * MINUTE);
  });
});
