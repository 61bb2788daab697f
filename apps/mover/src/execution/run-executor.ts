import type { MoverReport, RunPlan } from '@catena/events';
import type { DriverAlarm } from '@catena/sources';
import type { ProgressMeter } from '../progress/progress-meter.ts';

/** What an attempt that did its work has to report. */
export type WorkDone = Omit<Extract<MoverReport['outcome'], { kind: 'completed' }>, 'kind'>;

/** One attempt, as an executor sees it. */
export interface Execution<P extends RunPlan = RunPlan> {
  readonly run: string;
  readonly attempt: number;
  readonly plan: P;
  /** Aborts when the attempt is to stop, for whatever reason; the work then throws the signal's reason. */
  readonly signal: AbortSignal;
  readonly progress: ProgressMeter;
  /** Tells everybody at once what needs a person, while the work goes on. */
  alarm(alarm: DriverAlarm): void;
  /**
   * To be asked before anything that others see: throws when another attempt has taken over, or the run is to stop.
   */
  assertHeld(): Promise<void>;
}

/** How one kind of run is done. */
export interface RunExecutor<K extends RunPlan['kind']> {
  readonly kind: K;
  execute(execution: Execution<Extract<RunPlan, { kind: K }>>): Promise<WorkDone>;
  /** The catalog has recorded what was done: the place for what must not come before that. Harmless to repeat. */
  recorded?(plan: Extract<RunPlan, { kind: K }>, done: WorkDone): Promise<void>;
}

export type AnyRunExecutor = { [K in RunPlan['kind']]: RunExecutor<K> }[RunPlan['kind']];

/** Injection token of all executors. */
export const RUN_EXECUTORS = Symbol('RunExecutors');
