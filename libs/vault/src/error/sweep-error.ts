import { CatenaError } from '@catena/events';

/** The run was over, and what it had written is gone: an attempt that comes so late cannot make its backup any more. */
export class RunSweptError extends CatenaError {
  constructor(run: string) {
    super('vault.run-swept', `what run ${run} had written was swept, because the run was over`, {
      remedy: 'ask for a new backup',
      details: { run },
    });
  }
}
