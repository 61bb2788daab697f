import { CatenaError, describeError, type Reply, type RequestContract } from '@catena/events';
import { z } from 'zod';
import type { Log } from '../logging/log.ts';

/** Checks, asks the handler, checks again; whatever happens becomes a reply. */
export async function answerRequest(
  contract: RequestContract,
  payload: unknown,
  handle: (input: unknown) => Promise<unknown>,
  log: Log,
): Promise<Reply> {
  const started = performance.now();
  try {
    const output = await checkedAnswer(contract, await handle(checkedInput(contract, payload)));
    log.debug('answered', { request: contract.name, milliseconds: Math.round(performance.now() - started) });
    return { ok: true, result: output };
  } catch (error) {
    const unexpected = !(error instanceof CatenaError);
    log[unexpected ? 'error' : 'info'](`${contract.name} was not done`, { request: contract.name, error });
    return { ok: false, error: describeError(error) };
  }
}

function checkedInput(contract: RequestContract, payload: unknown): unknown {
  const input = contract.input.safeParse(payload);
  if (input.success) return input.data;
  throw new CatenaError(
    'request.invalid',
    `The request ${contract.name} is wrong: ${z.prettifyError(input.error)}`,
    { remedy: 'Send what the contract of the request says.' },
  );
}

function checkedAnswer(contract: RequestContract, answer: unknown): unknown {
  const output = contract.output.safeParse(answer);
  if (output.success) return output.data;
  throw new Error(`The answer to ${contract.name} breaks its contract: ${z.prettifyError(output.error)}`);
}
