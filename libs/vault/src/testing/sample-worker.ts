/** A worker for the pool's own tests. */
import { MalformedBytesError } from '../codec/byte-reader.ts';
import { serveTasks } from '../workers/serve-tasks.ts';
import type { TaskContext } from '../workers/task.ts';
import { Transferring } from '../workers/task.ts';

export const sampleTasks = {
  double: (input: number) => input * 2,
  /** Remembers what it was given on this thread. */
  remember(input: string, { state }: TaskContext): string[] {
    const seen = [...((state.get('seen') as string[] | undefined) ?? []), input];
    state.set('seen', seen);
    return seen;
  },
  fill(input: { buffer: ArrayBuffer; value: number }): Transferring<{ buffer: ArrayBuffer }> {
    new Uint8Array(input.buffer).fill(input.value);
    return new Transferring({ buffer: input.buffer }, [input.buffer]);
  },
  /** Ends when the first number in the memory is no longer 0. */
  waitFor(input: { memory: SharedArrayBuffer }): string {
    Atomics.wait(new Int32Array(input.memory), 0, 0);
    return 'woken';
  },
  systemError(): never {
    throw Object.assign(new Error('no such file'), { code: 'ENOENT', errno: -2, syscall: 'open' });
  },
  malformed(): never {
    throw new MalformedBytesError('not what was written');
  },
  exit(): never {
    process.exit(3);
  },
};

serveTasks(sampleTasks);
