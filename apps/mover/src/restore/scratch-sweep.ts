import { sweepScratch } from '@catena/sources';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';

/** A mover that was killed under a restore of tables has left a copy of a cluster: the next one that starts removes it. */
@Injectable()
export class ScratchSweep implements OnApplicationBootstrap {
  readonly #logger = new Logger(ScratchSweep.name);

  async onApplicationBootstrap(): Promise<void> {
    try {
      const { removed, left } = await sweepScratch();
      for (const folder of removed)
        this.#logger.log(`Removed ${folder}, which a process that is gone had left.`);
      for (const { folder, error } of left)
        this.#logger.warn(
          `${folder}, which a process that is gone had left, was not removed: ${String(error)}`,
        );
    } catch (error) {
      // It is in nobody's way but for the room that it takes: the work goes on.
      this.#logger.warn(`What is left of scratch copies was not removed: ${String(error)}`);
    }
  }
}
