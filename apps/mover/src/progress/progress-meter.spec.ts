import { describe, expect, it } from '@jest/globals';
import { ProgressMeter } from './progress-meter.ts';

describe('the progress of an attempt', () => {
  function meterAt(clock: { now: number }): ProgressMeter {
    return new ProgressMeter(() => clock.now);
  }

  it('has a rate over the last seconds and the time that remains', () => {
    const clock = { now: 0 };
    const meter = meterAt(clock);
    clock.now = 2_000;
    meter.enter('reading');
    meter.update({ files: 3, bytes: 2_000, totalFiles: 30, totalBytes: 10_000 });
    expect(meter.read()).toEqual({
      phase: 'reading',
      files: 3,
      bytes: 2_000,
      totalFiles: 30,
      totalBytes: 10_000,
      bytesPerSecond: 1_000,
      secondsRemaining: 8,
    });
  });

  it('forgets how fast it was long ago', () => {
    const clock = { now: 0 };
    const meter = meterAt(clock);
    for (const [now, bytes] of [
      [1_000, 1_000_000],
      [10_000, 1_000_000],
      [15_500, 1_000_550],
    ] as const) {
      clock.now = now;
      meter.update({ files: 1, bytes, totalBytes: 2_000_000 });
    }
    expect(meter.read().bytesPerSecond).toBe(100);
  });

  it.each([
    ['the whole is not known', { files: 1, bytes: 50 }],
    ['next to nothing is done', { files: 1, bytes: 6, totalBytes: 3_000_000_000 }],
    ['nothing moved', { files: 0, bytes: 0, totalBytes: 100 }],
  ])('says nothing of the time that remains while %s', (_, state) => {
    const clock = { now: 0 };
    const meter = meterAt(clock);
    clock.now = 1_000;
    meter.update(state);
    expect(meter.read()).not.toHaveProperty('secondsRemaining');
  });
});
