import type { OpenedUnit, SealedUnits } from './open-units.ts';
import { openUnits, RecentSeals } from './open-units.ts';
import { defaultWorkers, WorkerPool } from '../workers/worker-pool.ts';
import { workerProgram } from '../workers/worker-thread.ts';
import type { readingTasks } from './reading-worker.ts';

/** Sealed bytes of content that are opened here before threads are started for what still comes. */
const FEW_BYTES = 4 * 1024 * 1024;
/** The same of pages: most who read no more of them than that have threads of their own that read the content. */
const FEW_PAGE_BYTES = 24 * 1024 * 1024;
/** What is read at once and no more than this, as most pages are, costs more to pass on than to open. */
const SMALL_BYTES = 32 * 1024;
/** The thread that asks hashes and hands out what is opened, so one core is its own. */
const usualWorkers = Math.max(1, defaultWorkers() - 1);

/** Unseals and decompresses what was read: a little of it at once, more of it on other threads. */
export class UnitOpener {
  private readonly seals = new RecentSeals();
  private pool: WorkerPool<typeof readingTasks> | undefined;
  private readonly workers: number;
  private contentBytes = 0;
  private pageBytes = 0;

  /** @param workers threads to use; default one less than there are cores */
  constructor(workers = usualWorkers) {
    this.workers = workers;
  }

  /** `own`: nothing else lies in the memory of any of them. */
  async open(sealed: SealedUnits): Promise<{ readonly opened: OpenedUnit[]; readonly own: boolean }> {
    const isSmall = sealed.bytes.length <= SMALL_BYTES;
    if (isSmall || !this.isMuch(sealed)) return { opened: openUnits(sealed, this.seals), own: false };
    this.pool ??= new WorkerPool({
      program: workerProgram('./reading-worker', import.meta.url),
      workers: this.workers,
    });
    const bytes = alone(sealed.bytes);
    return { opened: await this.pool.run('open', { ...sealed, bytes }, [bytes.buffer]), own: true };
  }

  /** Counts what is read, and says whether it is worth having threads for it. */
  private isMuch({ identity, bytes }: SealedUnits): boolean {
    if (this.pool !== undefined) return true;
    if (identity.kind === 'tree' || identity.kind === 'map') this.pageBytes += bytes.length;
    else this.contentBytes += bytes.length;
    return this.contentBytes > FEW_BYTES || this.pageBytes > FEW_PAGE_BYTES;
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    const { pool } = this;
    this.pool = undefined;
    await pool?.close();
  }
}

/** The same bytes in memory of their own, which can change its owner. */
function alone(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength)
    return bytes as Uint8Array<ArrayBuffer>;
  return Uint8Array.from(bytes);
}
