import { SpareThreads } from '../workers/spare-threads.ts';
import { defaultWorkers } from '../workers/worker-pool.ts';
import { SharedMemory } from './shared-memory.ts';
import type { StationHandlers } from './station/station-handlers.ts';

/** How long threads and memory are kept that no backup needs. */
const IDLE_MILLISECONDS = 5 * 60_000;
const MEMORY_BYTES = 32 * 1024 * 1024;

/** What one backup leaves to the next one in a process: threads that have run, and the memory they share. */
export class WritingReserve {
  readonly memory = new SharedMemory(MEMORY_BYTES);
  readonly threads = new SpareThreads<StationHandlers>({
    most: defaultWorkers(),
    idleMilliseconds: IDLE_MILLISECONDS,
    onClose: () => this.memory.clear(),
  });

  /** Lets go of what is kept now. */
  async close(): Promise<void> {
    await this.threads.close();
  }
}
