/** The one place where a service reads the time, so that tests own it. */
export interface Clock {
  /** Milliseconds since 1970 UTC. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** An instant as events carry it. */
export function instantOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
