import { PlanReader, UnreadableUnitError, type TaskContext } from '@catena/vault/threads';

/** Units that a thread keeps for plans to come: scattered changes come back to the same ones again and again. */
const cacheBytes = 16 * 1024 * 1024;

export function kept<T>({ state }: TaskContext, name: string, make: () => T): T {
  if (!state.has(name)) state.set(name, make());
  return state.get(name) as T;
}

export function planReaderOf(context: TaskContext): PlanReader {
  return kept(context, 'plans', () => new PlanReader(cacheBytes));
}

/** False when something could not be read as planned. */
export function triesToReadHere(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof UnreadableUnitError) return false;
    throw error;
  }
}

/** As `triesToReadHere`, for work that takes its time. */
export async function triesToRead(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof UnreadableUnitError) return false;
    throw error;
  }
}
