import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { FrameSplitter } from './frame-splitter.ts';

interface Message {
  readonly type: 'd' | 'N' | 'c';
  readonly body: Buffer;
}

function encoded({ type, body }: Message): Buffer {
  const header = Buffer.alloc(5);
  header.write(type, 0, 'latin1');
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

/** What comes out of chunks cut at the given places. */
function split(messages: readonly Message[], cuts: readonly number[]) {
  const stream = Buffer.concat(messages.map(encoded));
  const passed: Buffer[] = [];
  const copied: Buffer[][] = [];
  /** Length of the message each piece is of, by what was said with it. */
  const announced: number[] = [];
  const splitter = new FrameSplitter(
    (bytes) => passed.push(bytes),
    () => ({
      takeCopied: (bytes, continues, left) => {
        if (continues) copied.at(-1)?.push(bytes);
        else copied.push([bytes]);
        announced.push((copied.at(-1) ?? []).reduce((sum, { length }) => sum + length, left));
      },
    }),
  );
  const places = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
  [0, ...places].forEach((from, index, all) => {
    const piece = stream.subarray(from, all[index + 1] ?? stream.length);
    if (piece.length > 0) splitter.push(piece);
  });
  return { passed: Buffer.concat(passed), copied, announced };
}

const message = fc.record({
  type: fc.constantFrom<Message['type']>('d', 'd', 'd', 'N', 'c'),
  body: fc
    .oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 4000, max: 9000 }))
    .map((length) => Buffer.alloc(length, length)),
});

describe('messages of a server', () => {
  it('are told apart wherever they are cut', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), fc.array(fc.nat(60_000)), (messages, cuts) => {
        const { passed, copied, announced } = split(messages, cuts);
        const others = messages.filter(({ type }) => type !== 'd').map(encoded);
        expect(passed.equals(Buffer.concat(others))).toBe(true);
        const data = messages.filter(({ type, body }) => type === 'd' && body.length > 0);
        expect(copied.map((pieces) => Buffer.concat(pieces).length)).toEqual(
          data.map(({ body }) => body.length),
        );
        copied.forEach((pieces, index) =>
          expect(Buffer.concat(pieces).equals(data[index]?.body ?? Buffer.alloc(0))).toBe(true),
        );
        expect(announced).toEqual(copied.flatMap((pieces) => pieces.map(() => Buffer.concat(pieces).length)));
        const mayBeCut = (pieces: Buffer[]) => Buffer.concat(pieces).length > 4096;
        expect(copied.every((pieces) => pieces.length === 1 || mayBeCut(pieces))).toBe(true);
      }),
    );
  });

  it('of copied data are not copied', () => {
    const chunk = encoded({ type: 'd', body: Buffer.alloc(10_000, 7) });
    const given: Buffer[] = [];
    const splitter = new FrameSplitter(
      () => undefined,
      () => ({ takeCopied: (bytes) => void given.push(bytes) }),
    );
    splitter.push(chunk);
    expect(given.map(({ buffer }) => buffer)).toEqual([chunk.buffer]);
  });
});
