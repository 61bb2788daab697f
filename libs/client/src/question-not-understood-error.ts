import { CatenaError, type RequestContract } from '@catena/events';
import type { z } from 'zod';

/** What was asked breaks the contract of the request: a name that cannot be one, a number out of bounds. Nothing was sent. */
export class QuestionNotUnderstoodError extends CatenaError {
  constructor({ service, name }: RequestContract, error: z.ZodError) {
    const problems = error.issues.map(
      ({ path, message }) =>
        `${path.join('.')}: ${/^(Invalid|Too|Unrec)/.test(message) ? message : `expected ${message}`}`,
    );
    super('client.question-not-understood', `This cannot be asked: ${problems.join('; ')}.`, {
      details: { service, request: name, fields: error.issues.map(({ path }) => path.join('.')) },
    });
  }
}
