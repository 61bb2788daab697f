/**
 * Folders of copies that are thrown away. Whoever makes one says in it who he is and holds a lock in it; when he was killed, the next one
 * who makes a copy, or a mover that starts, removes what he has left.
 */
import { access, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';

export const SCRATCH_PREFIX = 'catena-scratch-';
export const SOCKET_PREFIX = 'catena-copy-';
/** In such a folder: the process that made it. Without it a folder is somebody else's. */
const MAKER = 'maker.json';
/** Beside it: held by that process for as long as it lives. Nothing else may open it, or the lock is lost. */
const LOCK = 'maker.lock';
const identity = z.object({
  pid: z.int(),
  startTime: z.string(),
  bootId: z.string(),
  /** Among which processes its number means it; not said by earlier versions. */
  namespace: z.string().optional(),
  /** Whether it holds the lock; not said by earlier versions. */
  holdsLock: z.boolean().optional(),
});

/** A folder that this process will remove. */
export interface OwnFolder {
  /** Lets go of it; to be called before it is removed. */
  release(): void;
}

/** Says that this process will remove the folder, so that others may when it is gone: also those in other containers that share the place. */
export async function markAsOwn(folder: string): Promise<OwnFolder> {
  const { identifyProcess, tryLock } = await import('@catena/embedded');
  let lock: OwnFolder | undefined;
  try {
    lock = tryLock(path.join(folder, LOCK));
  } catch {
    // A file system without locks: then only who can see this process may say that it is gone.
  }
  const maker = {
    ...identifyProcess(process.pid),
    namespace: await processNamespace(),
    holdsLock: lock !== undefined,
  };
  await writeFile(path.join(folder, MAKER), JSON.stringify(maker), { mode: 0o600 });
  const release = () => {
    lock?.release();
    lock = undefined;
  };
  return { release };
}

/** Containers have process numbers of their own. */
async function processNamespace(): Promise<string> {
  return await readlink('/proc/self/ns/pid');
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
  const { namespace, holdsLock } = maker.data;
  if (holdsLock === true) return await isUnlocked(path.join(folder, LOCK));
  if (namespace !== undefined && namespace !== (await processNamespace())) return false;
  const { isRunning } = await import('@catena/embedded');
  return !isRunning(maker.data);
}

/** Where it cannot be told, it is taken for held. */
async function isUnlocked(file: string): Promise<boolean> {
  const { tryLock } = await import('@catena/embedded');
  try {
    // It is there as long as the folder is; what is not there is being removed.
    await access(file);
    const lock = tryLock(file);
    lock?.release();
    return lock !== undefined;
  } catch {
    return false;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
