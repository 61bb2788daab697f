/**
 * Folders of copies that are thrown away. Whoever makes one says in it who he is; when he was killed, the next one who makes a copy, or a
 * mover that starts, removes what he has left.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';

export const SCRATCH_PREFIX = 'catena-scratch-';
export const SOCKET_PREFIX = 'catena-copy-';
/** In such a folder: the process that made it. Without it a folder is somebody else's. */
const MAKER = 'maker.json';
const identity = z.object({ pid: z.int(), startTime: z.string(), bootId: z.string() });

/** Says that this process will remove the folder, so that others may when it is gone. */
export async function markAsOwn(folder: string): Promise<void> {
  const { identifyProcess } = await import('@catena/embedded');
  await writeFile(path.join(folder, MAKER), JSON.stringify(identifyProcess(process.pid) ?? {}), {
    mode: 0o600,
  });
}

/** What became of what processes that are gone had left. */
export interface SweptScratch {
  readonly removed: readonly string[];
  /** Folders that could not be removed, perhaps somebody else's: in nobody's way but for the room that they take. */
  readonly left: readonly { readonly folder: string; readonly error: unknown }[];
}

/**
 * Removes what processes that are gone have left in a folder.
 * @param place where copies are made; that of temporary files by default
 */
export async function sweepScratch(place: string = tmpdir(), remove = removeFolder): Promise<SweptScratch> {
  const removed: string[] = [];
  const left: { folder: string; error: unknown }[] = [];
  for (const entry of await readdir(place, { withFileTypes: true })) {
    const isOurs = [SCRATCH_PREFIX, SOCKET_PREFIX].some((prefix) => entry.name.startsWith(prefix));
    const folder = path.join(place, entry.name);
    if (!isOurs || !entry.isDirectory() || !(await isAbandoned(folder))) continue;
    try {
      await remove(folder);
      removed.push(folder);
    } catch (error) {
      left.push({ folder, error });
    }
  }
  return { removed, left };
}

async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** What cannot be read is left alone. */
async function isAbandoned(folder: string): Promise<boolean> {
  const text = await readFile(path.join(folder, MAKER), 'utf8').catch(() => undefined);
  if (text === undefined) return false;
  const maker = identity.safeParse(jsonOf(text));
  if (!maker.success) return false;
  const { isRunning } = await import('@catena/embedded');
  return !isRunning(maker.data);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
