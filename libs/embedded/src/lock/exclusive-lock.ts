import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { EmbeddedError } from '../embedded-error.ts';

/** A lock that is held until it is released or its process is gone, however it went. */
export interface ExclusiveLock {
  release(): void;
}

const SQLITE_BUSY = 5;

/**
 * Takes the lock on a file, or returns undefined when somebody else (another process or this one) holds it.
 * Node has no `flock`; an exclusive SQLite transaction is the kernel lock it does have, and it dies with its holder.
 */
export function tryLock(file: string): ExclusiveLock | undefined {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}

/** Waits for the lock on a file; `onWait` is called once when it is not free. Throws embedded.lock-timeout after `timeoutMs`. */
export async function waitForLock(
  file: string,
  timeoutMs: number,
  onWait: () => void,
): Promise<ExclusiveLock> {
  const deadline = performance.now() + timeoutMs;
  for (let waited = false; ; waited = true) {
    const lock = tryLock(file);
    if (lock) return lock;
    if (!waited) onWait();
    if (performance.now() > deadline) {
      throw new EmbeddedError(
        'embedded.lock-timeout',
        `Another process has held ${file} for more than ${Math.round(timeoutMs / 1000)} s`,
        'End that process, then start again.',
        { file },
      );
    }
    await sleep(100);
  }
}
