import { sweepRunId } from '@catena/events';
import { deletionRefused, SWEEP_GRACE } from '@catena/chain';
import type { EventLog } from '@catena/event-log';
import { requestRun } from '@catena/run';
import {
  appendDecided,
  BackgroundWork,
  CLOCK,
  EVENT_LOG,
  instantOf,
  Log,
  pause,
  ServiceIdentity,
  untilNoConflict,
  type Clock,
} from '@catena/service';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Histories } from '../history/histories.ts';
import { LeftoverView, type Littered } from './leftover-view.ts';

const ROUND_MILLISECONDS = 5_000;

/**
 * Asks for a sweep of a repository when runs that may have left something in it have been over for long enough, at most
 * once a day. Where nothing is ever interrupted, nothing is ever swept.
 */
@Injectable()
export class SweepService implements OnApplicationBootstrap {
  constructor(
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(Histories) private readonly histories: Histories,
    @Inject(LeftoverView) private readonly view: LeftoverView,
    @Inject(ServiceIdentity) private readonly identity: ServiceIdentity,
    @Inject(BackgroundWork) private readonly work: BackgroundWork,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.work.start('sweeping', async (signal, healthy) => {
      await this.view.started(signal);
      while (!signal.aborted) {
        await this.round();
        healthy();
        await pause(ROUND_MILLISECONDS, signal);
      }
    });
  }

  /** Asks for every sweep that is due. Asking again the same day appends nothing. */
  async round(): Promise<void> {
    for (const one of this.view.littered()) {
      const isDue = this.clock.now() - one.first.at >= SWEEP_GRACE;
      if (isDue && deletionRefused(one.repository) === undefined) await this.#ask(one);
    }
  }

  async #ask({ repository, first }: Littered): Promise<void> {
    const time = instantOf(this.clock.now());
    const run = sweepRunId(repository.uid, first.sequence, time.slice(0, 10));
    await untilNoConflict(async () => {
      const loaded = await this.histories.runs.load(run);
      const request = { kind: 'sweep', repository: repository.name, dryRun: false } as const;
      const decision = requestRun(loaded.state, { request });
      if (!decision.accepted || decision.events.length === 0) return;
      await appendDecided(
        this.eventLog,
        decision.events,
        [{ aggregate: { type: 'run', id: run }, head: loaded.head }],
        {
          time,
          actor: this.identity.actor,
          correlationId: run,
          causationId: `${this.identity.actor}/${first.sequence}`,
        },
      );
      this.log.info('asked for a sweep', { run, repository: repository.name });
    });
  }
}
