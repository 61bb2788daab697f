/** A job taken from the queue. Losing it loses nothing: the log is the truth and the reconciler puts it back. */
export interface TakenJob {
  /** The last token of the subject: the run. */
  readonly run: string;
  readonly kind: string;
  /** Says that it is still being worked on; to be called well within the queue's wait. */
  working(): void;
  /** Done, or not wanted any more. */
  acknowledge(): Promise<void>;
  /** Gives it back, at the earliest after the delay. */
  giveBack(delayMilliseconds: number): Promise<void>;
}

/** Hints that runs want a mover (architecture.md section 2). */
export interface JobQueue {
  /** Adds a job; the same key within two minutes adds nothing. */
  put(job: { kind: string; run: string; key: string }): Promise<void>;
  /** Waits for one job of one of the kinds, at most `waitMilliseconds`. */
  take(options: {
    kinds: readonly string[];
    waitMilliseconds: number;
    signal: AbortSignal;
  }): Promise<TakenJob | undefined>;
  /** Runs that have a job in the queue, waiting or taken. */
  pending(): Promise<ReadonlySet<string>>;
  close(): Promise<void>;
}
