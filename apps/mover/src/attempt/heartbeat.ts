import { cancelSubject, progressSubject, type ProgressMessage } from '@catena/events';
import type { Messages, TakenJob } from '@catena/event-log';
import { instantOf, type Clock, type Log } from '@catena/service';
import type { Attempt } from './attempt.ts';
import type { RunLog } from './run-log.ts';

const PROGRESS_MILLISECONDS = 500;
const LONGEST_CHECK_MILLISECONDS = 5_000;

/**
 * While an attempt lasts: progress twice a second, the job kept, the claim compared with the log every few seconds,
 * and an ear for a cancel. The log has the truth; the message only makes it quick.
 */
export class Heartbeat {
  readonly #attempt: Attempt;
  readonly #job: TakenJob;
  readonly #messages: Messages;
  readonly #runs: RunLog;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #timers: NodeJS.Timeout[];
  readonly #cancel: { stop(): void };

  constructor(
    attempt: Attempt,
    job: TakenJob,
    ports: { messages: Messages; runs: RunLog; clock: Clock; log: Log; jobWaitMilliseconds: number },
  ) {
    this.#attempt = attempt;
    this.#job = job;
    this.#messages = ports.messages;
    this.#runs = ports.runs;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#cancel = ports.messages.listen(cancelSubject(attempt.run), () => void this.check());
    this.#timers = [
      setInterval(() => this.beat(), PROGRESS_MILLISECONDS),
      setInterval(
        () => void this.check(),
        Math.min(LONGEST_CHECK_MILLISECONDS, ports.jobWaitMilliseconds / 3),
      ),
    ];
    this.beat();
  }

  /** Tells how far it is. */
  beat(): void {
    const { run, number, mover, progress } = this.#attempt;
    const message: ProgressMessage = {
      run,
      attempt: number,
      mover,
      at: instantOf(this.#clock.now()),
      ...progress.read(),
    };
    this.#messages.notify(progressSubject(run), message);
  }

  /** Keeps the job, and compares the claim with the log. A log that cannot be read now stops nothing: the fence is at the report. */
  async check(): Promise<void> {
    try {
      this.#job.working();
      this.#attempt.compare((await this.#runs.load(this.#attempt.run)).state);
    } catch (error) {
      this.#log.warn('the claim could not be compared with the log', { error });
    }
  }

  end(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#cancel.stop();
    this.beat();
  }
}
