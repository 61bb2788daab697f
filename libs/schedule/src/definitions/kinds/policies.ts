import { z } from 'zod';
import { durationOf } from '../../calendar/duration.ts';
import type { HourWindow } from '../../calendar/hour-window.ts';
import { fields, listOf, mismatch, oneOf, wholeNumber } from '../shape/building-blocks.ts';
import { duration } from './duration.ts';
import { hours } from './calendar.ts';
import { referenceTo } from './metadata.ts';

/** What a due time does while the run before it is not over. */
export type OverlapPolicy = 'wait' | 'skip' | 'start' | 'cancelPrevious';

const STRICT = ['wait', 'skip', 'cancelPrevious'] as const;

/** For cadences whose runs may never overlap (rule 3.6). */
export const strictOverlap = z
  .string({ error: `one of ${STRICT.join(', ')}` })
  .superRefine((given, context) => {
    if ((STRICT as readonly string[]).includes(given)) return;
    mismatch(context, `one of ${STRICT.join(', ')}`, {
      remedy:
        given === 'start'
          ? 'Data runs of one collection never overlap; only `copyOnly` may start beside its previous run.'
          : undefined,
    });
  })
  .meta({ enum: [...STRICT] });

export const anyOverlap = oneOf(...STRICT, 'start');

const retry = fields({
  attempts: wholeNumber(1, 'a whole number from 1')
    .optional()
    .describe('How many attempts may fail before the run has failed. Default 5.'),
  firstDelay: duration.optional().describe('Before the second attempt. Default 10s.'),
  factor: z
    .number({ error: 'a number from 1' })
    .min(1, { error: 'a number from 1' })
    .optional()
    .describe('By how much each delay is longer than the one before. Default 2.'),
  longestDelay: duration.optional().describe('No delay is longer. Default 15m.'),
});

const AFTER = 'the name of a Schedule, or a list of names';

/** What a schedule does when things do not go as planned (rules 3.5 to 3.7 and 3.11). */
export const policyFields = {
  catchUp: oneOf('latest', 'all', 'none')
    .optional()
    .describe('Times that passed while nobody looked: the latest of them, all, or none. Default latest.'),
  catchUpWindow: duration.optional().describe('What is later than this is not caught up. Default: no limit.'),
  onPreviousRunning: strictOverlap
    .optional()
    .describe('While the previous run is not over: wait, skip, or cancelPrevious. Default wait.'),
  onExecutionFailure: oneOf('retry', 'reschedule', 'pause')
    .optional()
    .describe('A failed attempt is repeated, left to the next time, or pauses the schedule. Default retry.'),
  retry: retry.optional().describe('How often and how soon `retry` repeats an attempt.'),
  pauseAfterFailures: wholeNumber(1, 'a whole number from 1')
    .optional()
    .describe('Pauses the schedule after so many failed runs in a row.'),
  timeLimit: duration
    .optional()
    .describe('A run that takes longer is cancelled; counted from its first attempt.'),
  window: fields({
    ...hours,
    must: oneOf('start', 'end')
      .optional()
      .describe('Runs must start in it, or also end in it. Default start.'),
  })
    .optional()
    .describe('Hours, in the time zone, within which runs may start.'),
  jitter: duration
    .optional()
    .describe('Runs start up to this much later, always by the same part of it, and before the next time.'),
  after: z
    .union([referenceTo('Schedule'), listOf(referenceTo('Schedule'), AFTER)], { error: AFTER })
    .optional()
    .describe('Waits until no run of these schedules is open; skips when their last one failed.'),
  runs: wholeNumber(1, 'a whole number from 1')
    .optional()
    .describe('Pauses the schedule after so many runs; resuming it allows as many again.'),
};

/** Delays in milliseconds. */
export interface RetrySpec {
  readonly attempts: number;
  readonly firstDelay: number;
  readonly factor: number;
  readonly longestDelay: number;
}

/** The policies with their defaults. Lengths in milliseconds. */
export interface Policies {
  readonly catchUp: 'latest' | 'all' | 'none';
  readonly catchUpWindow?: number;
  readonly onPreviousRunning: OverlapPolicy;
  readonly onExecutionFailure: 'retry' | 'reschedule' | 'pause';
  /** Absent: as the run's own default has it. */
  readonly retry?: RetrySpec;
  readonly pauseAfterFailures?: number;
  readonly timeLimit?: number;
  readonly window?: HourWindow & { readonly must: 'start' | 'end' };
  readonly jitter: number;
  readonly after: readonly string[];
  readonly runs?: number;
}

type GivenPolicies = z.infer<z.ZodObject<typeof policyFields>>;

export function policiesWithDefaults(given: GivenPolicies): Policies {
  // One object for all that say nothing: there may be a hundred thousand of them.
  return Object.keys(policyFields).some((name) => name in given) ? readPolicies(given) : DEFAULTS;
}

function readPolicies(given: GivenPolicies): Policies {
  const { catchUpWindow, pauseAfterFailures, timeLimit, window, jitter, after, runs } = given;
  const retrying = retryOf(given);
  return {
    catchUp: given.catchUp ?? 'latest',
    ...(catchUpWindow === undefined ? {} : { catchUpWindow: lengthOf(catchUpWindow) }),
    onPreviousRunning: (given.onPreviousRunning ?? 'wait') as OverlapPolicy,
    onExecutionFailure: given.onExecutionFailure ?? 'retry',
    ...(retrying === undefined ? {} : { retry: retrying }),
    ...(pauseAfterFailures === undefined ? {} : { pauseAfterFailures }),
    ...(timeLimit === undefined ? {} : { timeLimit: lengthOf(timeLimit) }),
    ...(window === undefined ? {} : { window: { ...window, must: window.must ?? 'start' } }),
    jitter: jitter === undefined ? 0 : lengthOf(jitter),
    after: after === undefined ? [] : [after].flat(),
    ...(runs === undefined ? {} : { runs }),
  };
}

const DEFAULTS: Policies = readPolicies({});

function retryOf({ onExecutionFailure, retry: given }: GivenPolicies): RetrySpec | undefined {
  if (given === undefined && onExecutionFailure !== 'reschedule') return undefined;
  return {
    attempts: onExecutionFailure === 'reschedule' ? 1 : (given?.attempts ?? 5),
    firstDelay: lengthOf(given?.firstDelay ?? '10s'),
    factor: given?.factor ?? 2,
    longestDelay: lengthOf(given?.longestDelay ?? '15m'),
  };
}

function lengthOf(text: string): number {
  return durationOf(text) ?? 0;
}
