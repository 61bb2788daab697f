/** Closes a pool while an answer of its thread is on the way, in a process that nothing else keeps alive. */
import type { sampleTasks } from './sample-worker.ts';
import { WorkerPool } from '../workers/worker-pool.ts';
import { workerProgram } from '../workers/worker-thread.ts';

const BUSY_MILLISECONDS = 50;
const program = workerProgram('./sample-worker', import.meta.url);
const pool = new WorkerPool<typeof sampleTasks>({ program, workers: 1 });
await pool.run('double', 1);
pool.run('double', 2).catch(() => undefined);
// Meanwhile the thread answers; this one has not looked yet when it closes the pool.
for (const end = performance.now() + BUSY_MILLISECONDS; performance.now() < end;);
await pool.close();
process.stdout.write('closed');
