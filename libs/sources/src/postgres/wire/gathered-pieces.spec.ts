import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { GatheredPieces, type Gathering } from './gathered-pieces.ts';

const MARK = 0x64;
const OTHER = 0x70;

interface Message {
  readonly isData: boolean;
  readonly length: number;
  /** Where it comes in parts. */
  readonly cuts: readonly number[];
  /** How many pieces are taken after it. */
  readonly takes: number;
}

const message: fc.Arbitrary<Message> = fc.record({
  isData: fc.integer({ max: 9, min: 0 }).map((n) => n > 0),
  length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 30_000, max: 700_000 })),
  cuts: fc.array(fc.nat(700_000), { maxLength: 3 }),
  takes: fc.nat(3),
});

/** Pushes the messages, taking now and then; each piece is copied before the next is asked for, as a reader must. */
function gathered(messages: readonly Message[], how: Gathering) {
  const arrivals = new GatheredPieces(how);
  const data: Buffer[] = [];
  const others: Buffer[] = [];
  const pieces: number[] = [];
  const take = () => {
    const arrival = arrivals.take();
    if (arrival === undefined || arrival.kind === 'boundary') return false;
    (arrival.kind === 'data' ? data : others).push(Buffer.from(arrival.bytes));
    if (arrival.kind === 'data') pieces.push(arrival.bytes.length);
    return true;
  };
  const bodies = messages.map(({ isData, length }, number) => {
    const body = Buffer.alloc(isData ? length : Math.min(length, 40), number + 1);
    body[0] = isData ? MARK : OTHER;
    return body;
  });
  bodies.forEach((body, number) => {
    const { cuts = [], takes = 0, isData } = messages[number] ?? {};
    const places = isData === true ? cuts.map((cut) => cut % (body.length + 1)).sort((a, b) => a - b) : [];
    [0, ...places].forEach((from, part, all) => {
      const end = all[part + 1] ?? body.length;
      // Nothing is pushed of nothing, and memory that is pushed is used again.
      const bytes = Buffer.from(body.subarray(from, end));
      if (bytes.length > 0) arrivals.push(bytes, from > 0, body.length - end);
      bytes.fill(0xff);
    });
    for (let taken = 0; taken < takes; taken++) take();
  });
  while (take());
  return { data: Buffer.concat(data), others, pieces, waiting: arrivals.bytes, bodies };
}

describe('copied data that waits', () => {
  it('comes out as it went in, joined, without the mark, and other messages by themselves', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
        const { data, others, waiting, bodies } = gathered(messages, { joined: true, dataMark: MARK });
        const isData = (body: Buffer) => body[0] === MARK;
        expect(data.equals(Buffer.concat(bodies.filter(isData).map((body) => body.subarray(1))))).toBe(true);
        expect(others).toEqual(bodies.filter((body) => !isData(body)));
        expect(waiting).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('comes out message by message, each in one piece however large', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
        const { data, pieces, bodies } = gathered(messages, { joined: false });
        expect(pieces).toEqual(bodies.map(({ length }) => length));
        expect(data.equals(Buffer.concat(bodies))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('is put together in pieces far larger than messages, between boundaries', () => {
    const arrivals = new GatheredPieces({ joined: true });
    for (let number = 0; number < 8; number++) {
      if (number === 4) arrivals.mark();
      arrivals.push(Buffer.alloc(32 * 1024, number), false, 0);
    }
    const kinds: (number | string)[] = [];
    for (let next = arrivals.take(); next !== undefined; next = arrivals.take())
      kinds.push(next.kind === 'boundary' ? next.kind : next.bytes.length);
    expect(kinds).toEqual([4 * 32 * 1024, 'boundary', 4 * 32 * 1024]);
  });
});
