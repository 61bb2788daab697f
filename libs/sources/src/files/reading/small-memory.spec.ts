import { describe, expect, it } from '@jest/globals';
import { SmallMemory, type TakenMemory } from './small-memory.ts';

const size = 300 * 1024;

describe('memory for small files', () => {
  it('gives nobody what somebody still has, and uses again what nobody has', () => {
    const memory = new SmallMemory();
    const held: TakenMemory[] = [];
    const pieces = new Set<ArrayBufferLike>();
    for (let i = 0; i < 200; i++) {
      const taken = memory.take(size);
      taken.bytes.fill(i);
      pieces.add(taken.bytes.buffer);
      held.push(taken);
      for (const [at, { bytes }] of held.entries()) {
        const value = i - held.length + 1 + at;
        expect([bytes.length, bytes[0], bytes.at(-1)]).toEqual([size, value, value]);
      }
      if (held.length === 7) held.shift()?.giveBack();
    }
    // Seven files of which three fit into a piece, and the piece that is being filled.
    expect(pieces.size).toBeLessThanOrEqual(4);
  });
});
