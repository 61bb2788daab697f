import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from '../error/system-code.ts';
import type { UnfinishedObject } from '../port/object-store.ts';
import type { FileOperations } from './file-operations.ts';

/** Objects that are being written lie here until they are whole; nothing in it belongs to a backup. */
export const UNFINISHED = '.unfinished';

/** A name that no other writer has. The process is named for people who look. */
function freshName(): string {
  return `${process.pid}-${randomBytes(8).toString('hex')}`;
}

export async function createUnfinished(
  files: FileOperations,
  folder: string,
): Promise<{ file: string; handle: FileHandle }> {
  const file = path.join(folder, freshName());
  return { file, handle: await files.open(file, 'wx', 0o600) };
}

/**
 * What interrupted writers left. Ages are told by the clock of whoever keeps the files, from one that is made for it, so
 * that a machine whose clock is wrong takes nothing for old.
 */
export async function listUnfinished(files: FileOperations, folder: string): Promise<UnfinishedObject[]> {
  const names = await files.readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  if (names.length === 0) return [];
  const now = await nowAt(files, folder);
  const found: UnfinishedObject[] = [];
  for (const name of names) {
    const facts = await files.stat(path.join(folder, name)).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (facts?.isFile() === true)
      found.push({ name, size: facts.size, idleMilliseconds: Math.max(0, now - facts.mtimeMs) });
  }
  return found;
}

async function nowAt(files: FileOperations, folder: string): Promise<number> {
  const { file, handle } = await createUnfinished(files, folder);
  try {
    return (await handle.stat()).mtimeMs;
  } finally {
    await handle.close();
    await files.unlink(file);
  }
}
