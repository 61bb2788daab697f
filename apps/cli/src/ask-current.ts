import { CatenaError, type RequestContract } from '@catena/events';
import type { CatenaClient } from '@catena/client';
import type { z } from 'zod';

/** Clients whose catalog was seen to be behind, so that one call of the program waits for it once at most. */
const behind = new WeakSet<CatenaClient>();

/** Do not wait for a catalog that is known to be behind. */
export function takeForBehind(client: CatenaClient): void {
  behind.add(client);
}

/**
 * Asks the catalog for an answer that has seen everything in the log, so that a list shows what the command before it
 * did. A catalog that does not come so far answers what it has; where that says `stale`, it says why.
 */
export async function askCurrent<
  I extends z.ZodType<unknown, { atLeast?: number | undefined }>,
  O extends z.ZodType,
>(client: CatenaClient, contract: RequestContract<I, O>, question: z.input<I>): Promise<z.output<O>> {
  if (behind.has(client)) return client.ask(contract, question);
  try {
    const atLeast = await client.log.lastSequence();
    return await client.ask(contract, { ...question, atLeast });
  } catch (error) {
    if (!(error instanceof CatenaError) || error.code !== 'read-store.behind') throw error;
    behind.add(client);
    return client.ask(contract, question);
  }
}
