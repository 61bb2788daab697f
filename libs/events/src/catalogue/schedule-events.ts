import { z } from 'zod';
import { cadence, definitionName, instant } from './vocabulary.ts';

const tick = {
  schedule: definitionName,
  cadence,
  nominal: instant.describe('The instant the cadence names.'),
};

/** Aggregate `schedule`, id = the schedule definition's uid: every decision about time. Appended by the scheduler. */
export const scheduleEvents = {
  'schedule.fired': z
    .object({
      ...tick,
      actual: instant.describe('When it was decided.'),
      run: z.string(),
      reason: z.enum(['due', 'firstRun', 'catchUp', 'runNow', 'backfill']),
      asOf: z
        .enum(['nominal', 'now'])
        .optional()
        .describe('The time the backup stands for: the nominal one where the source can still give it.'),
    })
    .describe('A due time became a run; in one append with run.requested.'),
  'schedule.skipped': z
    .object({
      ...tick,
      actual: instant,
      reason: z.enum([
        'superseded',
        'waitingForFull',
        'paused',
        'missed',
        'overlap',
        'invalid',
        'excluded',
        'outsideWindow',
        'dependencyFailed',
      ]),
      by: z.string().optional().describe('What it gave way to: a cadence, a run, excluded dates or hours.'),
      until: instant
        .optional()
        .describe('With `missed`: the last of the missed instants that this one event stands for.'),
      missed: z.number().int().positive().optional().describe('How many instants this event stands for.'),
    })
    .describe('A due time that did not become a run, and why.'),
  'schedule.delayed': z
    .object({
      ...tick,
      actual: instant,
      reason: z.enum(['overlap', 'cancelPrevious', 'after']),
      by: z.string().describe('The run that it waits for.'),
    })
    .describe('A due time that waits until a run is over; it fires then, or is skipped.'),
  'schedule.paused': z
    .object({ schedule: definitionName, reason: z.string().optional() })
    .describe('Nothing fires until it is resumed.'),
  'schedule.resumed': z.object({ schedule: definitionName }).describe('Due times after this one fire again.'),
} as const;
