import { describeError, domainEvent, progressSubject, type Failure, type MoverReport } from '@catena/events';
import type { Messages, TakenJob } from '@catena/event-log';
import { claim, release, type RunState } from '@catena/run';
import {
  CLOCK,
  CONFIGURATION,
  crashPoint,
  instantOf,
  Log,
  MESSAGES,
  ServiceIdentity,
  untilNoConflict,
  type Clock,
  type Loaded,
  type ServiceConfiguration,
} from '@catena/service';
import { HistoryLostError, returnFreeMemory, type DriverAlarm } from '@catena/sources';
import { Inject, Injectable } from '@nestjs/common';
import { DamageFoundError } from '../execution/damage-found-error.ts';
import {
  RUN_EXECUTORS,
  type AnyRunExecutor,
  type Execution,
  type WorkDone,
} from '../execution/run-executor.ts';
import { collectGarbage } from '../memory/collect-garbage.ts';
import { MemoryKeeper } from '../memory/memory-keeper.ts';
import { ProgressMeter } from '../progress/progress-meter.ts';
import { Reporter, type ReportAnswer } from '../report/reporter.ts';
import { Attempt } from './attempt.ts';
import { AttemptStopped } from './attempt-stopped.ts';
import { Heartbeat } from './heartbeat.ts';
import { RunLog } from './run-log.ts';

/** How long a holder may be silent; it speaks twice a second. */
const SILENCE_MILLISECONDS = 3_000;
const HELD_BY_ANOTHER_MILLISECONDS = 20_000;
const NOT_YET_MILLISECONDS = 1_000;
const REPORT_WHILE_STOPPING_MILLISECONDS = 5_000;

type Outcome = MoverReport['outcome'];

/** Takes a job through an attempt: claim, work, report, and only then the acknowledgement (architecture.md section 5). */
@Injectable()
export class AttemptService {
  readonly #inHand = new Set<string>();
  readonly #memory = new MemoryKeeper({
    size: () => process.memoryUsage.rss(),
    returnFree: returnFreeMemory,
    collect: collectGarbage,
  });

  constructor(
    @Inject(RunLog) private readonly runs: RunLog,
    @Inject(RUN_EXECUTORS) private readonly executors: readonly AnyRunExecutor[],
    @Inject(Reporter) private readonly reporter: Reporter,
    @Inject(MESSAGES) private readonly messages: Messages,
    @Inject(ServiceIdentity) private readonly identity: ServiceIdentity,
    @Inject(CONFIGURATION) private readonly configuration: ServiceConfiguration,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  /** Ends when the job is acknowledged, given back, or left to whoever superseded this mover. */
  async work(job: TakenJob, stopping: AbortSignal): Promise<void> {
    if (this.#inHand.has(job.run)) return await job.giveBack(HELD_BY_ANOTHER_MILLISECONDS);
    this.#inHand.add(job.run);
    try {
      const attempt = await this.#claim(job);
      if (attempt === undefined) return;
      crashPoint('mover.after-claim');
      this.log.info('claimed', { attempt: attempt.number, kind: attempt.plan.kind });
      await this.#carryOut(attempt, job, stopping);
    } finally {
      this.#inHand.delete(job.run);
    }
  }

  /** Claims the run by an event, or deals with the job when there is nothing to claim. */
  async #claim(job: TakenJob): Promise<Attempt | undefined> {
    let loaded: Loaded<RunState> | undefined = await this.runs.load(job.run);
    if (await this.#isHeld(loaded.state)) {
      this.log.info('another mover works on it');
      await job.giveBack(HELD_BY_ANOTHER_MILLISECONDS);
      return undefined;
    }
    return await untilNoConflict(async () => {
      const seen = loaded ?? (await this.runs.load(job.run));
      loaded = undefined;
      return await this.#claimAs(seen, job);
    });
  }

  async #claimAs(loaded: Loaded<RunState>, job: TakenJob): Promise<Attempt | undefined> {
    const mover = this.identity.instance;
    const decision = claim(loaded.state, mover, instantOf(this.clock.now()));
    if (!decision.accepted) {
      this.log.info('not claimed', { reason: decision.refusal });
      if (decision.refusal.retryable) await job.giveBack(NOT_YET_MILLISECONDS);
      else await job.acknowledge();
      return undefined;
    }
    const attempt = loaded.state.attempt + 1;
    const { plan } = loaded.state;
    if (plan === undefined) throw new Error(`The run ${job.run} was claimed without a plan.`);
    await this.runs.append(loaded, decision.events, `claim/${attempt}`);
    return new Attempt({ run: job.run, attempt, mover }, plan, new ProgressMeter(() => this.clock.now()));
  }

  /**
   * Whether another mover works on the run and lives. The queue hands a job out again when its holder went silent, but
   * a run may have two jobs when one was thought lost; taking over from the living would only cost its work.
   */
  async #isHeld(state: RunState): Promise<boolean> {
    if (state.phase !== 'running' || state.mover === this.identity.instance) return false;
    const heard = Promise.withResolvers<boolean>();
    const listening = this.messages.listen(progressSubject(state.run), (payload) => {
      if ((payload as { attempt?: unknown }).attempt === state.attempt) heard.resolve(true);
    });
    const patience = Math.min(SILENCE_MILLISECONDS, this.configuration.CATENA_JOB_WAIT_SECONDS * 1_000);
    const silence = setTimeout(() => heard.resolve(false), patience);
    try {
      return await heard.promise;
    } finally {
      clearTimeout(silence);
      listening.stop();
    }
  }

  async #carryOut(attempt: Attempt, job: TakenJob, stopping: AbortSignal): Promise<void> {
    const stop = () => attempt.stop('stopping');
    stopping.addEventListener('abort', stop, { once: true });
    if (stopping.aborted) stop();
    const { messages, runs, clock, log } = this;
    const jobWaitMilliseconds = this.configuration.CATENA_JOB_WAIT_SECONDS * 1_000;
    const heartbeat = new Heartbeat(attempt, job, { messages, runs, clock, log, jobWaitMilliseconds });
    try {
      const outcome = await this.#execute(attempt);
      if (outcome === undefined) return await this.#handBack(attempt, job);
      await this.#report(attempt, outcome, job, stopping);
    } finally {
      heartbeat.end();
      stopping.removeEventListener('abort', stop);
    }
  }

  /** What is to be reported; nothing when the attempt stopped without a word to say. */
  async #execute(attempt: Attempt): Promise<Outcome | undefined> {
    try {
      const execution = this.#executionOf(attempt);
      const done = await this.#memory.during(() => this.#executorOf(attempt).execute(execution as never));
      return { kind: 'completed', ...done };
    } catch (error) {
      if (attempt.stopped === 'cancelled') return { kind: 'cancelled' };
      if (attempt.stopped !== undefined) {
        if (!(error instanceof AttemptStopped)) this.log.info('failed while stopping', { error });
        return undefined;
      }
      this.log.warn('the attempt failed', { attempt: attempt.number, error });
      return {
        kind: 'failed',
        failure: failureOf(error),
        ...(error instanceof DamageFoundError ? { damaged: [...error.damaged] } : {}),
        ...(error instanceof HistoryLostError ? { historyLost: error.lost } : {}),
      };
    }
  }

  #executorOf(attempt: Attempt): AnyRunExecutor {
    const executor = this.executors.find(({ kind }) => kind === attempt.plan.kind);
    if (executor === undefined) throw new Error(`No executor does runs of kind ${attempt.plan.kind}.`);
    return executor;
  }

  #executionOf(attempt: Attempt): Execution {
    const { run, number, plan, signal, progress } = attempt;
    return {
      run,
      attempt: number,
      plan,
      signal,
      progress,
      alarm: (alarm) => void this.#alarm(attempt, alarm),
      assertHeld: async () => {
        attempt.compare((await this.runs.load(run)).state);
        signal.throwIfAborted();
      },
    };
  }

  /** An alarm that cannot be appended is in the mover's own log: the work does not depend on it. */
  async #alarm({ run, number, mover }: Attempt, { code, message, remedy }: DriverAlarm): Promise<void> {
    this.log.warn('alarm', { run, code, message });
    try {
      await untilNoConflict(async () => {
        const loaded = await this.runs.load(run);
        const { phase, attempt, mover: holder } = loaded.state;
        // It may come when the run is over: then there is nothing left to look after.
        if (phase !== 'running' || attempt !== number || holder !== mover) return;
        const said = { attempt: number, mover, alarm: { code, message }, remedy };
        await this.runs.append(loaded, [domainEvent('run.alarmed', run, said)], `alarm/${number}/${code}`);
      });
    } catch (error) {
      this.log.error('an alarm could not be appended', { run, error });
    }
  }

  async #report(attempt: Attempt, outcome: Outcome, job: TakenJob, stopping: AbortSignal): Promise<void> {
    attempt.progress.enter('reporting');
    crashPoint('mover.before-report');
    const answer = await this.#send(attempt, outcome, stopping);
    crashPoint('mover.after-report');
    if (answer === undefined) return await this.#handBack(attempt, job);
    this.log.info('reported', { attempt: attempt.number, outcome: outcome.kind, ...answer });
    if (!answer.accepted && (await this.#isSuperseded(attempt))) return;
    if (answer.accepted && outcome.kind === 'completed') await this.#recorded(attempt, outcome);
    await job.acknowledge();
  }

  /** What it did not get done is done by the next run of its kind. */
  async #recorded(attempt: Attempt, done: WorkDone): Promise<void> {
    try {
      await this.#executorOf(attempt).recorded?.(attempt.plan as never, done);
    } catch (error) {
      this.log.warn('the source was not told that its backup is recorded', { run: attempt.run, error });
    }
  }

  /** No answer when the mover has to stop first: the next attempt finds the manifest and reports again. */
  async #send(attempt: Attempt, outcome: Outcome, stopping: AbortSignal): Promise<ReportAnswer | undefined> {
    const patience = new AbortController();
    const lastReports = () =>
      void setTimeout(() => patience.abort(), REPORT_WHILE_STOPPING_MILLISECONDS).unref();
    if (stopping.aborted) lastReports();
    else stopping.addEventListener('abort', lastReports, { once: true });
    const { run, number, mover } = attempt;
    try {
      return await this.reporter.send({ run, attempt: number, mover, outcome }, patience.signal);
    } catch (error) {
      if (patience.signal.aborted) return undefined;
      if (outcome.kind === 'failed') throw error;
      this.log.error('the catalog cannot take the report', { error });
      return await this.#send(attempt, { kind: 'failed', failure: failureOf(error) }, stopping);
    } finally {
      stopping.removeEventListener('abort', lastReports);
    }
  }

  /** The job then belongs to the attempt that took over. */
  async #isSuperseded(attempt: Attempt): Promise<boolean> {
    attempt.compare((await this.runs.load(attempt.run)).state);
    return attempt.stopped === 'superseded';
  }

  /** Superseded or over: it only stops. Stopping: the run is released, so that another mover may take it at once. */
  async #handBack(attempt: Attempt, job: TakenJob): Promise<void> {
    this.log.info('stopped', { attempt: attempt.number, reason: attempt.stopped });
    if (attempt.stopped === 'over') return await job.acknowledge();
    if (attempt.stopped === 'superseded') return;
    await untilNoConflict(async () => {
      const loaded = await this.runs.load(attempt.run);
      const held = { attempt: attempt.number, mover: attempt.mover };
      const decision = release(loaded.state, held, 'the mover is stopping');
      if (decision.accepted && decision.events.length > 0)
        await this.runs.append(loaded, decision.events, `release/${attempt.number}`);
    });
    await job.giveBack(0);
  }
}

function failureOf(thrown: unknown): Failure {
  const { code, message, remedy, retryable } = describeError(thrown);
  return { code, message, retryable, ...(remedy === undefined ? {} : { remedy }) };
}
