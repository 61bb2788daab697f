import { describe, expect, it } from '@jest/globals';
import { holdRoom, isShort } from './hold-room.ts';

const MB = 1_048_576n;
const settings = { slotLimit: 64, walKeep: 0, walSegmentSize: 16n * MB };

describe('how much log a slot may still hold back', () => {
  it('is what the server allows, in whole segments', () => {
    const room = holdRoom(settings, 100n * MB, 120n * MB, undefined);
    // The segment of 100 MB is number 6; four more are kept, and the one after them is one too many.
    expect(room).toEqual({ held: 20n * MB, limit: 76n * MB, safe: 56n * MB });
  });

  it.each([
    ['what is kept anyway, when that is more', { ...settings, walKeep: 128 }, undefined, 140n],
    ['the limit of the definition, when that is less', settings, Number(30n * MB), 30n],
    ['the limit of the definition alone', { ...settings, slotLimit: undefined }, Number(30n * MB), 30n],
  ])('%s', (_, given, holdLimit, limit) => {
    expect(holdRoom(given, 100n * MB, 100n * MB, holdLimit)?.limit).toBe(limit * MB);
  });

  it('is not bounded without any limit', () => {
    expect(holdRoom({ ...settings, slotLimit: undefined }, 0n, MB, undefined)).toBeUndefined();
  });

  it('is short when less than a quarter is left, and when nothing is', () => {
    expect(isShort({ held: 75n, limit: 100n, safe: 25n })).toBe(false);
    expect(isShort({ held: 76n, limit: 100n, safe: 24n })).toBe(true);
    expect(isShort({ held: 120n, limit: 100n, safe: -20n })).toBe(true);
  });
});
