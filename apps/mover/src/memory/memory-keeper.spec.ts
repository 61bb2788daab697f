import { describe, expect, it } from '@jest/globals';
import { MemoryKeeper } from './memory-keeper.ts';

const MIB = 1024 * 1024;

/** A process of which `used` is in use and `free` is not given back yet. */
class SampleProcess {
  used = 100;
  free = 0;
  garbage = 0;
  given: number[] = [];
  size(): number {
    return (this.used + this.garbage + this.free) * MIB;
  }
  returnFree(): void {
    this.given.push(this.free);
    this.free = 0;
  }
  collect(): void {
    this.free += this.garbage;
    this.garbage = 0;
  }
}

describe('keeping a process small', () => {
  it('gives free memory back when the process has grown, and not before', async () => {
    const memory = new SampleProcess();
    const keeper = new MemoryKeeper(memory);
    await keeper.during(async () => {
      keeper.look();
      memory.free = 8;
      keeper.look();
      expect(memory.given).toEqual([]);
      memory.free = 9;
      keeper.look();
      expect(memory.given).toEqual([9]);
      return Promise.resolve();
    });
  });

  it('takes what is in use after that for granted', async () => {
    const memory = new SampleProcess();
    const keeper = new MemoryKeeper(memory);
    await keeper.during(async () => {
      keeper.look();
      memory.used = 200;
      keeper.look();
      keeper.look();
      memory.free = 5;
      keeper.look();
      expect(memory.given).toEqual([0]);
      return Promise.resolve();
    });
  });

  it('gives everything back when the last of several works ends, also when it fails', async () => {
    const memory = new SampleProcess();
    const keeper = new MemoryKeeper(memory);
    const first = Promise.withResolvers<undefined>();
    const one = keeper.during(() => first.promise);
    memory.free = 10;
    await expect(keeper.during(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(memory.given).toEqual([]);
    first.resolve(undefined);
    await one;
    expect(memory.given).toEqual([10]);
  });

  it('collects garbage when nothing has been done for a moment, and not between one work and the next', async () => {
    const memory = new SampleProcess();
    const keeper = new MemoryKeeper(memory);
    const work = async () => {
      memory.garbage = 50;
      await Promise.resolve();
    };
    await keeper.during(work);
    await keeper.during(work);
    expect(memory.given).toEqual([0, 0]);
    while (memory.given.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    expect([memory.garbage, memory.given]).toEqual([0, [0, 0, 50]]);
  });
});
