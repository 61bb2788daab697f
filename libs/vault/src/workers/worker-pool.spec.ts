import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MalformedBytesError } from '../codec/byte-reader.ts';
import type { sampleTasks } from '../testing/sample-worker.ts';
import { SpareThreads } from './spare-threads.ts';
import type { PoolOptions } from './worker-pool.ts';
import { WorkerPool } from './worker-pool.ts';
import { workerProgram } from './worker-thread.ts';

const program = workerProgram('../testing/sample-worker', import.meta.url);
const pools: WorkerPool<typeof sampleTasks>[] = [];

function poolOf(
  workers: number,
  more: Partial<PoolOptions<typeof sampleTasks>> = {},
): WorkerPool<typeof sampleTasks> {
  const pool = new WorkerPool<typeof sampleTasks>({ program, workers, ...more });
  pools.push(pool);
  return pool;
}

/** Memory that a `waitFor` task waits on. */
function gate(): { memory: SharedArrayBuffer; open: () => void } {
  const memory = new SharedArrayBuffer(4);
  const open = () => {
    Atomics.store(new Int32Array(memory), 0, 1);
    Atomics.notify(new Int32Array(memory), 0);
  };
  return { memory, open };
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

describe('worker pool', () => {
  it('carries out tasks and starts threads only as they are needed', async () => {
    const pool = poolOf(3);
    expect(pool.started).toBe(0);
    await expect(pool.run('double', 21)).resolves.toBe(42);
    expect(pool.started).toBe(1);
  });

  it('is closed before the process ends, whatever is on its way from its threads', async () => {
    const closing = fileURLToPath(new URL('../testing/close-program.ts', import.meta.url));
    const args = ['--conditions=@catena/source', '--no-warnings', closing];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout).toBe('closed');
  });

  it('spreads work over its threads', async () => {
    const pool = poolOf(2);
    const { memory, open } = gate();
    const held = pool.run('waitFor', { memory });
    await expect(Promise.all([1, 2, 3].map((n) => pool.on(1).run('double', n)))).resolves.toEqual([2, 4, 6]);
    open();
    await expect(held).resolves.toBe('woken');
  });

  it('runs the tasks of one thread in order, with its state', async () => {
    const pool = poolOf(2);
    const seen = await Promise.all(['a', 'b', 'c'].map((text) => pool.on(1).run('remember', text)));
    expect(seen).toEqual([['a'], ['a', 'b'], ['a', 'b', 'c']]);
    await expect(pool.on(0).run('remember', 'x')).resolves.toEqual(['x']);
  });

  it('hands buffers over without copying them', async () => {
    const buffer = new ArrayBuffer(1024);
    const result = await poolOf(1).run('fill', { buffer, value: 7 }, [buffer]);
    expect(buffer.detached).toBe(true);
    expect(new Uint8Array(result.buffer).every((byte) => byte === 7)).toBe(true);
  });

  it('lets no more wait than it was told', async () => {
    const pool = poolOf(1, { maxWaiting: 1 });
    const { memory, open } = gate();
    const first = [1, 2, 3].map(() => pool.run('waitFor', { memory }));
    let hadRoom = false;
    const room = pool.room().then(() => (hadRoom = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(hadRoom).toBe(false);
    open();
    await room;
    await Promise.all(first);
  });

  it('gives what waits to a thread that is done with tasks of its own', async () => {
    const pool = poolOf(1, { maxWaiting: 1 });
    const { memory, open } = gate();
    const own = [pool.on(0).run('waitFor', { memory }), pool.on(0).run('double', 1)];
    const waiting = pool.run('double', 21);
    const room = pool.room();
    open();
    await Promise.all(own);
    await expect(waiting).resolves.toBe(42);
    await room;
  });

  it('keeps the code of a system error and the class of a known one', async () => {
    const pool = poolOf(1, {
      errorTypes: { MalformedBytesError: (message) => new MalformedBytesError(message) },
    });
    await expect(pool.run('systemError', undefined)).rejects.toMatchObject({
      code: 'ENOENT',
      errno: -2,
      syscall: 'open',
      message: 'no such file',
    });
    await expect(pool.run('malformed', undefined)).rejects.toBeInstanceOf(MalformedBytesError);
    await expect(pool.run('double', 1)).resolves.toBe(2);
  });

  it('rejects what a thread that is lost had to do, and what comes after', async () => {
    const pool = poolOf(1);
    const lost = [pool.run('exit', undefined), pool.run('double', 1)];
    for (const task of lost) await expect(task).rejects.toMatchObject({ code: 'vault.worker-lost' });
    await expect(pool.run('double', 1)).rejects.toMatchObject({ code: 'vault.worker-lost', retryable: true });
  });

  it('ends tasks, those that wait and whoever waits for room when it is closed', async () => {
    const pool = poolOf(1, { maxWaiting: 1 });
    const { memory } = gate();
    const tasks = [1, 2, 3].map(() => pool.run('waitFor', { memory }));
    const ends = [...tasks, pool.room()].map((task) => expect(task).rejects.toThrow('enough'));
    await pool.close(new Error('enough'));
    await Promise.all(ends);
    await expect(pool.run('double', 1)).rejects.toThrow('enough');
  });

  it('leaves its threads to the next pool when it is retired, and takes none that is lost', async () => {
    const spare = new SpareThreads<typeof sampleTasks>({ most: 1, idleMilliseconds: 60_000 });
    const first = poolOf(2, { spare });
    await Promise.all([0, 1].map((thread) => first.on(thread).run('remember', 'first')));
    await first.retire();
    expect(spare.kept).toBe(1);
    await expect(first.run('double', 1)).rejects.toMatchObject({ code: 'vault.workers-closed' });
    const second = poolOf(1, { spare });
    await expect(second.run('remember', 'second')).resolves.toEqual(['first', 'second']);
    expect(spare.kept).toBe(0);
    await expect(second.run('exit', undefined)).rejects.toMatchObject({ code: 'vault.worker-lost' });
    await second.retire();
    expect(spare.kept).toBe(0);
  });

  it('leaves threads alone that it has given away, also when it is closed after that', async () => {
    const spare = new SpareThreads<typeof sampleTasks>({ most: 1, idleMilliseconds: 60_000 });
    const first = poolOf(1, { spare });
    await first.run('remember', 'first');
    await first.retire();
    const second = poolOf(1, { spare });
    const { memory, open } = gate();
    const held = second.run('waitFor', { memory });
    await first.close(new Error('what came after failed'));
    open();
    await expect(held).resolves.toBe('woken');
    await expect(second.run('remember', 'second')).resolves.toEqual(['first', 'second']);
  });

  it('ends threads that nobody needs for a while', async () => {
    const spare = new SpareThreads<typeof sampleTasks>({ most: 1, idleMilliseconds: 1 });
    const pool = poolOf(1, { spare });
    await pool.run('double', 1);
    await pool.retire();
    while (spare.kept > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(spare.take()).toBeUndefined();
  });
});
