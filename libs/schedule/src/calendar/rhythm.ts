import { cronCalendar } from './cron-calendar.ts';
import { CronNotUnderstoodError } from './cron-not-understood-error.ts';
import { cronProblems, type CronProblem } from './cron-text.ts';
import { DURATION, durationOf } from './duration.ts';

/** A fixed distance between instants: whole multiples since 1970 in UTC, moved by the phase. Milliseconds. */
export interface Interval {
  readonly every: number;
  readonly phase: number;
}

/**
 * The rhythm of a cadence whose runs follow on each other: looked at every second, and due whenever the run before it
 * is over.
 */
export const CONTINUOUS = 'continuous';
const LOOK_AGAIN: Interval = { every: 1000, phase: 0 };

const EVERY = /^every\s+(\S+)(?:\s+phase\s+(\S+))?$/;

/**
 * Everything that is wrong with a rhythm: a cron text, a name, or `every 6h` with `phase 30m` behind it if wanted.
 */
export function rhythmProblems(text: string): CronProblem[] {
  if (!/^\s*every\b/.test(text)) return cronProblems(text);
  const match = EVERY.exec(text.trim());
  if (!match) {
    return [
      {
        offset: text.indexOf('every'),
        found: `"${text.trim()}"`,
        expected: '"every" and a duration',
        remedy: 'Write "every 6h", or "every 6h phase 30m".',
      },
    ];
  }
  const [, every = '', phase] = match;
  const length = durationOf(every);
  if (length === undefined) {
    return [{ offset: text.indexOf(every), found: `"${every}"`, expected: DURATION }];
  }
  if (phase === undefined) return [];
  const moved = durationOf(phase);
  if (moved !== undefined && moved < length) return [];
  return [
    {
      offset: text.lastIndexOf(phase),
      found: `the phase "${phase}"`,
      expected: `a duration shorter than ${every}`,
      remedy: 'A phase moves the times within their distance.',
    },
  ];
}

/** The fixed distance that a rhythm means; nothing when it is a cron text. */
export function intervalOf(text: string): Interval | undefined {
  if (text === CONTINUOUS) return LOOK_AGAIN;
  const match = EVERY.exec(text.trim());
  const every = match?.[1] === undefined ? undefined : durationOf(match[1]);
  if (every === undefined) return undefined;
  const phase = match?.[2] === undefined ? 0 : (durationOf(match[2]) ?? 0);
  return { every, phase };
}

/** @throws CronNotUnderstoodError */
export function checkRhythm(text: string): void {
  const problems = rhythmProblems(text);
  if (problems.length > 0) throw new CronNotUnderstoodError(text, problems);
}

/** A rhythm's largest gap, in milliseconds (rule 3.1). @throws CronNotUnderstoodError */
export function rhythmPeriod(text: string): number {
  return intervalOf(text)?.every ?? cronCalendar(text).longestGap;
}
