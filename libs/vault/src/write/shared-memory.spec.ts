import { describe, expect, it } from '@jest/globals';
import { SharedMemory } from './shared-memory.ts';

describe('memory that threads share', () => {
  it('is used again by whoever needs as much, and kept up to a bound', () => {
    const memory = new SharedMemory(5000);
    const [large, small, other] = [memory.take(4096), memory.take(1024), memory.take(512)];
    for (const given of [large, other, small]) memory.give(given);
    expect(memory.kept).toBe(4608);
    expect(memory.take(1024)).not.toBe(small);
    expect(memory.take(4096)).toBe(large);
    expect(memory.take(4096)).not.toBe(large);
    memory.clear();
    expect(memory.kept).toBe(0);
    expect(memory.take(512)).not.toBe(other);
  });
});
