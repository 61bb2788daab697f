import type { Failure } from '@catena/events';

/** When a failed attempt is repeated (rules.md 3.7): exponential, with a limit. Delays in milliseconds. */
export interface RetryPolicy {
  /** Attempts that may fail before the run has failed. */
  readonly attempts: number;
  readonly firstDelay: number;
  readonly factor: number;
  readonly longestDelay: number;
}

/** 10 s, 20 s, 40 s, 80 s, then failed. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  attempts: 5,
  firstDelay: 10_000,
  factor: 2,
  longestDelay: 15 * 60_000,
};

/**
 * The instant of the next attempt, or undefined when there is none: the failure is final or the limit is reached.
 * @param failedBefore attempts that had failed before this one.
 * @param now ISO 8601 instant, UTC.
 */
export function retryAt(
  policy: RetryPolicy,
  failure: Failure,
  failedBefore: number,
  now: string,
): string | undefined {
  if (!failure.retryable || failedBefore + 1 >= policy.attempts) return undefined;
  const delay = Math.min(policy.firstDelay * policy.factor ** failedBefore, policy.longestDelay);
  return new Date(Date.parse(now) + delay).toISOString();
}
