/** Why an attempt stops before its work is done. */
export type StopReason = 'cancelled' | 'superseded' | 'over' | 'stopping';

/** The reason of an attempt's signal. Not a failure: each reason has its own way to end in order. */
export class AttemptStopped extends Error {
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`The attempt stops: ${reason}.`);
    this.name = 'AttemptStopped';
    this.reason = reason;
  }
}
