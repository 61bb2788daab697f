import { CatenaError } from '@catena/events';

/** One wrong value of the environment. The value itself is not shown: it may be a secret. */
export interface ConfigurationProblem {
  readonly variable: string;
  readonly message: string;
}

/** The environment does not describe a service that can start; every wrong value is named at once. */
export class ConfigurationError extends CatenaError {
  constructor(problems: readonly ConfigurationProblem[]) {
    super(
      'service.configuration',
      `The configuration is wrong: ${problems.map(({ variable, message }) => `${variable}: ${message}`).join('; ')}.`,
      { remedy: 'Correct these environment variables and start again.', details: { problems } },
    );
  }
}
