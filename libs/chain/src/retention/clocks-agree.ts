/** A clock and what it shows, milliseconds since 1970 UTC. */
export interface ClockReading {
  readonly clock: string;
  readonly time: number;
}

const DAY = 24 * 3_600_000;

/**
 * Two clocks that disagree by more than a day, or undefined (rules.md 5.7): nothing expires until they agree again or a
 * person resumes it.
 */
export function disagreeingClocks(
  readings: readonly ClockReading[],
): readonly [ClockReading, ClockReading] | undefined {
  const sorted = [...readings].sort((a, b) => a.time - b.time);
  const [earliest, latest] = [sorted[0], sorted.at(-1)];
  if (earliest === undefined || latest === undefined) return undefined;
  return latest.time - earliest.time > DAY ? [earliest, latest] : undefined;
}
