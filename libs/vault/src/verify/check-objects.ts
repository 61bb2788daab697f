import type { Damage } from '../error/damaged-object-error.ts';
import { OwnThread } from '../workers/own-thread.ts';
import type { TaskRunner } from '../workers/task.ts';
import { defaultWorkers, WorkerPool } from '../workers/worker-pool.ts';
import { workerProgram } from '../workers/worker-thread.ts';
import { checkingTasks } from './checking-tasks.ts';
import type { NeededObject } from './closure-objects.ts';
import type { ObjectChecker } from './object-check.ts';
import { checkBytes, checkPresence } from './object-check.ts';

/** So much is checked before other threads would have started. */
const FEW_BYTES = 4 * 1024 * 1024;
/** Each object that is being checked holds two pieces of it in memory. */
const MOST_THREADS = 4;

type Found = Pick<Damage, 'reason' | 'offset' | 'length'>;

/** How much is looked at, and on how many threads at most; by default one for each core. */
interface CheckDepth {
  readonly depth: 'presence' | 'checksums';
  readonly workers?: number | undefined;
}

/** What is wrong with each of some objects: several are looked at side by side, each on a thread of its own. */
export async function checkObjects(
  checker: ObjectChecker,
  objects: readonly NeededObject[],
  { depth, workers = defaultWorkers() }: CheckDepth,
  onObject: () => void,
): Promise<Found[][]> {
  const found: Found[][] = objects.map(() => []);
  const left = objects.entries();
  const work = async (runner: TaskRunner<typeof checkingTasks>) => {
    for (const [i, object] of left) {
      checker.signal?.throwIfAborted();
      const missing = await checkPresence(checker.store, object);
      found[i] = missing === undefined ? [] : [missing];
      if (missing === undefined && depth === 'checksums')
        found[i] = await checkBytes(checker, object, runner);
      onObject();
    }
  };
  const bytes = objects.reduce((sum, { size }) => sum + (size ?? FEW_BYTES), 0);
  if (depth === 'presence' || bytes <= FEW_BYTES) {
    await work(new OwnThread(checkingTasks));
    return found;
  }
  const threads = Math.min(MOST_THREADS, workers);
  const pool = new WorkerPool<typeof checkingTasks>({
    program: workerProgram('./checking-worker', import.meta.url),
    workers: threads,
  });
  try {
    const lanes = Array.from({ length: threads }, (_, thread) => work(pool.on(thread)));
    await Promise.all(lanes);
  } finally {
    // Also ends what the other threads are at when one has failed.
    await pool.close();
  }
  return found;
}
