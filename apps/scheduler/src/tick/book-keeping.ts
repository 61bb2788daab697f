import type { Snapshots } from '@catena/event-log';
import { BackgroundWork, pause, SNAPSHOTS } from '@catena/service';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ScheduleBook } from '../schedule-book/schedule-book.ts';
import { Turn } from './turn.ts';

const ROUND_MILLISECONDS = 5_000;
/** So many events are read in less than a second, so a start need not do better. */
const LEAST_EVENTS = 10_000;

/**
 * Keeps a snapshot of the schedule book when enough was read since the last one: more than it costs to write it. Of
 * several schedulers only the one that has the turn does.
 */
@Injectable()
export class BookKeeping implements OnApplicationBootstrap {
  constructor(
    @Inject(ScheduleBook) private readonly book: ScheduleBook,
    @Inject(Turn) private readonly turn: Turn,
    @Inject(SNAPSHOTS) private readonly snapshots: Snapshots,
    @Inject(BackgroundWork) private readonly work: BackgroundWork,
  ) {}

  onApplicationBootstrap(): void {
    this.work.start('book keeping', async (signal, healthy) => {
      await this.book.caughtUp(signal);
      while (await pause(ROUND_MILLISECONDS, signal)) {
        if (this.turn.isOurs() && this.book.sinceSnapshot >= Math.max(LEAST_EVENTS, this.book.size))
          await this.#keep();
        healthy();
      }
    });
  }

  /** A snapshot that cannot be written costs the next start some time, and nothing else. */
  async #keep(): Promise<void> {
    try {
      await this.book.saveSnapshot();
    } catch (error) {
      this.snapshots.onFailure(error);
    }
  }
}
