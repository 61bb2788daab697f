import type { JobQueue } from '@catena/event-log';
import { JOB_QUEUE } from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';

/** Puts hints into the queue. */
@Injectable()
export class JobBoard {
  readonly #queue: JobQueue;

  constructor(@Inject(JOB_QUEUE) queue: JobQueue) {
    this.#queue = queue;
  }

  /**
   * @param sequence of the run's newest event: one state of a run is hinted at once, however many catalogs see it.
   */
  async put(kind: string, run: string, sequence: number): Promise<void> {
    await this.#queue.put({ kind, run, key: `${run}:${sequence}` });
  }

  /**
   * Hints again at a state whose job is gone. The queue remembers keys longer than jobs, so this one is another.
   * @param round of all catalogs that look at the same time; they put one job.
   */
  async putBack(kind: string, run: string, sequence: number, round: number): Promise<void> {
    await this.#queue.put({ kind, run, key: `${run}:${sequence}:${round}` });
  }

  pending(): Promise<ReadonlySet<string>> {
    return this.#queue.pending();
  }
}
