import { progressSubject } from '@catena/events';
import { jobKindOf, type Messages } from '@catena/event-log';
import { BackgroundWork, CLOCK, Log, MESSAGES, pause, withLogFields, type Clock } from '@catena/service';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { LogView, type OpenRun } from '../log-view/log-view.ts';
import { jobOf, poolOfPlan } from '../planning/mover-pool.ts';
import { PlannerService } from '../planning/planner.service.ts';
import { JobBoard } from './job-board.ts';

const ROUND_MILLISECONDS = 1_000;
/** How long what happens next may take before it counts as forgotten. */
const GRACE_MILLISECONDS = 2_000;
/** Catalogs that put a job back within the same stretch put one. */
const STRETCH_MILLISECONDS = 10_000;
/** A mover speaks twice a second; a run whose mover and job are both gone is hinted at again after this. */
const SILENCE_MILLISECONDS = 30_000;

/**
 * Restores what the queue lost (architecture.md section 2): every planned run has a job, every failed attempt gets its
 * next one in time, every request is planned. Losing the whole queue loses nothing.
 */
@Injectable()
export class Reconciler implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #heard = new Map<string, number>();
  #listening: { stop(): void } | undefined;

  constructor(
    @Inject(LogView) private readonly view: LogView,
    @Inject(JobBoard) private readonly jobs: JobBoard,
    @Inject(PlannerService) private readonly planner: PlannerService,
    @Inject(MESSAGES) private readonly messages: Messages,
    @Inject(BackgroundWork) private readonly work: BackgroundWork,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.#listening = this.messages.listen(progressSubject('*'), (payload) => {
      const run = (payload as { run?: unknown }).run;
      if (typeof run === 'string') this.#heard.set(run, this.clock.now());
    });
    this.work.start('reconciler', async (signal, healthy) => {
      await this.view.started(signal);
      while (!signal.aborted) {
        await this.round();
        healthy();
        await pause(ROUND_MILLISECONDS, signal);
      }
    });
  }

  onModuleDestroy(): void {
    this.#listening?.stop();
  }

  /** One look at everything that is not over. */
  async round(): Promise<void> {
    await this.view.current();
    const open = this.view.openRuns();
    if (open.some((one) => one.state.phase === 'requested' && this.#isSettled(one)))
      await this.planner.planWaiting(0);
    for (const run of this.#heard.keys()) if (this.view.openRun(run) === undefined) this.#heard.delete(run);
    if (!open.some((one) => this.#wantsJob(one))) return;
    const pending = await this.jobs.pending();
    for (const one of open) {
      const { run, request, plan } = one.state;
      if (request === undefined || plan === undefined || pending.has(run) || !this.#wantsJob(one)) continue;
      withLogFields({ run }, () => this.log.info('put back a job', { phase: one.state.phase }));
      const stretch = Math.floor(this.clock.now() / STRETCH_MILLISECONDS);
      await this.jobs.putBack(jobKindOf(jobOf(request), poolOfPlan(plan)), run, one.newest, stretch);
    }
  }

  /** What has just happened is still being handled by whom it concerns. */
  #isSettled({ seenAt }: OpenRun): boolean {
    return this.clock.now() - seenAt >= GRACE_MILLISECONDS;
  }

  #wantsJob(one: OpenRun): boolean {
    const { state } = one;
    const now = this.clock.now();
    switch (state.phase) {
      case 'planned':
        return this.#isSettled(one);
      case 'waitingForRetry':
        return state.retryAt === undefined || Date.parse(state.retryAt) <= now;
      case 'running':
        return now - (this.#heard.get(state.run) ?? one.seenAt) > SILENCE_MILLISECONDS;
      default:
        return false;
    }
  }
}
