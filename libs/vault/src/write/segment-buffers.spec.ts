import { describe, expect, it } from '@jest/globals';
import { SegmentBuffers } from './segment-buffers.ts';
import { SharedMemory } from './shared-memory.ts';

const SIZE = 1024;

describe('buffers of a backup', () => {
  it.each([SIZE, 3 * SIZE])(
    'of %i bytes are used again by it, and by others once it has ended well',
    async (bytes) => {
      const memory = new SharedMemory(16 * SIZE);
      const buffers = new SegmentBuffers(SIZE, 8 * SIZE, memory);
      const first = await buffers.take(bytes);
      buffers.give(first);
      expect(memory.kept).toBe(0);
      expect(await buffers.take(bytes)).toBe(first);
      buffers.give(first);
      buffers.end();
      expect(memory.take(bytes)).toBe(first);
    },
  );

  it.each([SIZE, 3 * SIZE])(
    'of %i bytes go to nobody when it fails: a thread may still write there',
    async (bytes) => {
      const memory = new SharedMemory(16 * SIZE);
      const buffers = new SegmentBuffers(SIZE, 8 * SIZE, memory);
      const taken = await buffers.take(bytes);
      buffers.give(taken);
      buffers.fail(new Error('abandoned'));
      expect(memory.kept).toBe(0);
    },
  );
});
