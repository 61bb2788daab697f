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

  pending(): Promise<ReadonlySet<string>> {
    return this.#queue.pending();
  }
}
