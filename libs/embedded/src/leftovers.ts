import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';

/** Deletes what lies in a folder under names with this beginning: work of processes that were killed. Nobody may be at work on it. */
export async function removeLeftovers(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue;
    await rm(path.join(folder, name), { recursive: true, force: true, maxRetries: 5 });
  }
}
