import type { RunPlan } from '@catena/events';
import { isOver, type RunState } from '@catena/run';
import type { ProgressMeter } from '../progress/progress-meter.ts';
import { AttemptStopped, type StopReason } from './attempt-stopped.ts';

/** One claim of this mover while it lasts. */
export class Attempt {
  readonly run: string;
  readonly number: number;
  readonly mover: string;
  readonly plan: RunPlan;
  readonly progress: ProgressMeter;
  readonly #controller = new AbortController();

  constructor(
    claimed: { run: string; attempt: number; mover: string },
    plan: RunPlan,
    progress: ProgressMeter,
  ) {
    this.run = claimed.run;
    this.number = claimed.attempt;
    this.mover = claimed.mover;
    this.plan = plan;
    this.progress = progress;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why it is to stop; the first reason counts. */
  get stopped(): StopReason | undefined {
    const reason: unknown = this.signal.reason;
    return reason instanceof AttemptStopped ? reason.reason : undefined;
  }

  stop(reason: StopReason): void {
    this.#controller.abort(new AttemptStopped(reason));
  }

  /** Compares the claim with the run as the log has it, and stops when it no longer holds (architecture.md section 5). */
  compare(state: RunState): void {
    if (state.attempt !== this.number || state.mover !== this.mover) this.stop('superseded');
    else if (isOver(state) || state.phase !== 'running') this.stop('over');
    else if (state.cancelRequested) this.stop('cancelled');
  }
}
