/** When a server on a restored data folder has recovered, as it says so itself in its files. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MILLISECONDS = 50;
/** Line of postmaster.pid that says how far the server is. */
const STATUS_LINE = 7;

export interface ReadyWait {
  readonly folder: string;
  readonly hasEnded: () => boolean;
  readonly milliseconds: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Recovery is over when the server has removed the file that asked for it, and says in its pid file that it is ready.
 * Answers false when it ended, or took too long.
 */
export async function waitUntilReady({
  folder,
  hasEnded,
  milliseconds,
  signal,
}: ReadyWait): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  while (performance.now() < deadline) {
    signal?.throwIfAborted();
    if (hasEnded()) return false;
    const status = (await textIfThere(path.join(folder, 'postmaster.pid')))?.split('\n')[STATUS_LINE];
    const recovers = (await textIfThere(path.join(folder, 'recovery.signal'))) !== undefined;
    if (status?.trim() === 'ready' && !recovers) return true;
    await sleep(POLL_MILLISECONDS);
  }
  return false;
}

async function textIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
