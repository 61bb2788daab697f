import { catalogRequests, digestId, requestSubject, reply } from '@catena/events';
import type { Messages } from '@catena/event-log';
import { durationText, type OpenRun } from '@catena/schedule';
import { BackgroundWork, CLOCK, Log, MESSAGES, pause, ServiceIdentity, type Clock } from '@catena/service';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ScheduleBook } from '../schedule-book/schedule-book.ts';

const ROUND_MILLISECONDS = 1_000;
/** A cancel that the log does not show after this is asked for again. */
const PATIENCE_MILLISECONDS = 5_000;

/**
 * Has runs cancelled that their schedule wants gone: past their time limit, past the end of their window, or in the way
 * of the next one. Everything it goes by is in the log, so whichever scheduler is there does it.
 */
@Injectable()
export class RunWatch implements OnApplicationBootstrap {
  readonly #asked = new Map<string, number>();

  constructor(
    @Inject(ScheduleBook) private readonly book: ScheduleBook,
    @Inject(MESSAGES) private readonly messages: Messages,
    @Inject(ServiceIdentity) private readonly identity: ServiceIdentity,
    @Inject(BackgroundWork) private readonly work: BackgroundWork,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.work.start('run watch', async (signal, healthy) => {
      await this.book.caughtUp(signal);
      while (!signal.aborted) {
        await this.round();
        healthy();
        await pause(ROUND_MILLISECONDS, signal);
      }
    });
  }

  /** One look at the runs that are not over. */
  async round(): Promise<void> {
    const unwanted = new Map<string, string>();
    for (const run of this.book.openRuns()) {
      if (run.cancelRequested) continue;
      const reason = this.#overdue(run);
      if (reason !== undefined) unwanted.set(run.run, reason);
    }
    for (const { live, state, knowledge } of this.book.cancelling()) {
      for (const { reason, nominal } of Object.values(state.waiting ?? {})) {
        const previous = knowledge.openData;
        if (reason !== 'cancelPrevious' || previous === undefined) continue;
        unwanted.set(previous, `schedule ${live.name} wants to run for ${nominal}`);
      }
    }
    for (const run of this.#asked.keys()) if (!unwanted.has(run)) this.#asked.delete(run);
    for (const [run, reason] of unwanted) await this.#cancel(run, reason);
  }

  #overdue({ schedule, startedAt, limits }: OpenRun): string | undefined {
    const now = this.clock.now();
    const { timeLimit, deadline } = limits ?? {};
    if (deadline !== undefined && Date.parse(deadline) <= now) {
      return `the window of schedule ${schedule} closed at ${deadline}`;
    }
    if (timeLimit === undefined || startedAt === undefined || Date.parse(startedAt) + timeLimit > now)
      return undefined;
    return `it took longer than the ${durationText(timeLimit)} that schedule ${schedule} allows`;
  }

  async #cancel(run: string, reason: string): Promise<void> {
    const now = this.clock.now();
    if (now - (this.#asked.get(run) ?? -Infinity) < PATIENCE_MILLISECONDS) return;
    this.#asked.set(run, now);
    try {
      const answer = reply.parse(
        await this.messages.ask(requestSubject(catalogRequests.cancelRun), {
          commandId: digestId('cancel', run, reason),
          actor: this.identity.actor,
          run,
          reason,
        }),
      );
      this.log.info('asked to cancel a run', { run, reason, answer });
    } catch (error) {
      this.log.warn('could not ask to cancel a run and asks again', { run, reason, error });
    }
  }
}
