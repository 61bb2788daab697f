import { errorFromDescription, reply, requestSubject, type RequestContract } from '@catena/events';
import type { Messages } from '@catena/event-log';
import type { z } from 'zod';
import { pause } from '../lifecycle/pause.ts';
import { eventually } from './eventually.ts';

const PAUSE_MILLISECONDS = 50;

export interface Asking {
  /** How long one question may take. */
  readonly timeoutMilliseconds: number;
  /** Whether to put the question again after an error; by default only when nobody is there yet. */
  readonly again?: (error: unknown) => boolean;
}

/** Asks until somebody is there to answer; a refusal is thrown. */
export async function askUntilAnswered<I extends z.ZodType, O extends z.ZodType>(
  messages: Messages,
  contract: RequestContract<I, O>,
  input: z.input<I>,
  { timeoutMilliseconds, again = isUnanswered }: Asking,
): Promise<z.output<O>> {
  const payload = contract.input.parse(input);
  const answer = await eventually(`an answer to ${contract.name}`, async () => {
    try {
      return reply.parse(await messages.ask(requestSubject(contract), payload, { timeoutMilliseconds }));
    } catch (error) {
      if (!again(error)) throw error;
      await pause(PAUSE_MILLISECONDS);
      return undefined;
    }
  });
  if (!answer.ok) throw errorFromDescription({ ...answer.error });
  return contract.output.parse(answer.result);
}

function isUnanswered(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'messages.no-responder';
}
