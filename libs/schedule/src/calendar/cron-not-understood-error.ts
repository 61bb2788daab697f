import { CatenaError } from '@catena/events';
import type { CronProblem } from './cron-text.ts';

/** A cron text, or another rhythm, that says nothing a calendar could follow. */
export class CronNotUnderstoodError extends CatenaError {
  readonly problems: readonly CronProblem[];

  constructor(text: string, problems: readonly CronProblem[]) {
    const reasons = problems.map(
      ({ offset, found, expected }) => `character ${offset + 1}: found ${found}, expected ${expected}`,
    );
    super('schedule.cron-not-understood', `"${text}" is no rhythm: ${reasons.join('; ')}.`, {
      remedy: problems.find(({ remedy }) => remedy !== undefined)?.remedy,
      details: { text, problems },
    });
    this.problems = problems;
  }
}
