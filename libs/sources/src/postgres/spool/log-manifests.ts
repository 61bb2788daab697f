/** Which backups hold a stretch of a cluster's log, by what their manifests say. */
import { CatenaError } from '@catena/events';
import type { Collection, FoundBackup } from '@catena/vault';
import { parseLsn } from '../wire/lsn.ts';
import type { LogManifest, LogMemory, Remembered } from './log-memory.ts';
import { positionOfSegment } from './wal-file-name.ts';
import { WalSpoolError } from './wal-spool-error.ts';

/** Neighbours that are looked at on either side: copy-only logs lie between the others and need not be in order. */
const NEIGHBOURS = 4;
/** Manifests that are read at once where many are. */
const READ_AT_ONCE = 16;

/**
 * Log backups that hold a part of a segment, found by halving: they are begun one after another, and each begins where one
 * before it ended. What is out of order (copy-only logs) may be missed, so what is not whole with these must be looked for
 * in all of them.
 */
export async function likelyLogs(
  collection: Collection,
  { timeline, segment }: { readonly timeline: number; readonly segment: string },
): Promise<LogManifest[]> {
  const { count, at } = await logsInOrder(collection);
  const oldest = await nextThere(at, 0, count);
  if (oldest === undefined) return [];
  const position = positionOfSegment(segment, oldest.segmentSize);
  const until = position + oldest.segmentSize;
  const low = await firstOf({ count, at }, (one) => endsAfter(one, timeline, position));
  const found: LogManifest[] = [];
  let beyond = 0;
  for (let index = Math.max(0, low - NEIGHBOURS); index < count && beyond < NEIGHBOURS; index++) {
    const one = await at(index);
    if (one === undefined) continue;
    if (one.timeline === timeline && one.start < until && one.end > position) found.push(one);
    else if (index >= low) beyond += 1;
  }
  return inOrder(found);
}

/**
 * Log backups that may hold the history of a timeline, each once: the newest ones, which hold that of every ancestor of theirs;
 * then, found by halving, those about the time at which the server came to it. What is out of order may be missed.
 */
export async function* likelyHistories(
  collection: Collection,
  timeline: number,
): AsyncGenerator<LogManifest, void, void> {
  const { count, at } = await logsInOrder(collection);
  const given = new Set<number>();
  const someFrom = async function* (begin: number, step: 1 | -1) {
    let seen = 0;
    for (let index = begin; index >= 0 && index < count && seen < NEIGHBOURS; index += step) {
      const one = await at(index);
      if (one === undefined) continue;
      seen += 1;
      if (mayHoldHistory(one, timeline) && !given.has(index)) yield one;
      given.add(index);
    }
  };
  yield* someFrom(count - 1, -1);
  const first = await firstOf({ count, at }, (one) => (one.serverTimeline ?? one.timeline) >= timeline);
  yield* someFrom(first, 1);
  yield* someFrom(first - 1, -1);
}

/** One that does not say which it holds may hold that of a timeline after its own. */
export function mayHoldHistory({ serverTimeline }: LogManifest, timeline: number): boolean {
  return serverTimeline === undefined || serverTimeline >= timeline;
}

/** Log backups as they were begun, each read once. */
interface LogsInOrder {
  readonly count: number;
  /** Undefined where no backup was finished. */
  readonly at: (index: number) => Promise<LogManifest | undefined>;
}

async function logsInOrder(collection: Collection): Promise<LogsInOrder> {
  const folders = await collection.logFolders();
  const read = new Map<number, LogManifest | undefined>();
  const at = async (index: number): Promise<LogManifest | undefined> => {
    if (!read.has(index)) read.set(index, await logIn(collection, folders[index] ?? ''));
    return read.get(index);
  };
  return { count: folders.length, at };
}

/** Finds by halving the first from which on something is so; their number when it never is. */
async function firstOf({ count, at }: LogsInOrder, isSo: (one: LogManifest) => boolean): Promise<number> {
  let low = 0;
  for (let high = count; low < high;) {
    const middle = Math.floor((low + high) / 2);
    const one = await nextThere(at, middle, high);
    if (one !== undefined && !isSo(one)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Folders without a manifest are leftovers of attempts: the next one tells as much. */
async function nextThere(
  at: (index: number) => Promise<LogManifest | undefined>,
  from: number,
  to: number,
): Promise<LogManifest | undefined> {
  for (let index = from; index < to; index++) {
    const one = await at(index);
    if (one !== undefined) return one;
  }
  return undefined;
}

function endsAfter(one: LogManifest, timeline: number, position: bigint): boolean {
  return one.timeline > timeline || (one.timeline === timeline && one.end > position);
}

/**
 * Log backups, and data backups for the log that each carries; copy-only ones as well. Reads every manifest that is not remembered.
 * @throws WalSpoolError `wal.unreadable`
 */
export async function allLogs(collection: Collection, memory?: LogMemory): Promise<LogManifest[]> {
  const folders = await collection.folders();
  const known = (await memory?.read()) ?? new Map<string, LogManifest | null>();
  const unknown = folders.filter((folder) => !known.has(folder));
  const learnt: Remembered[] = [];
  for (let at = 0; at < unknown.length; at += READ_AT_ONCE) {
    const some = unknown.slice(at, at + READ_AT_ONCE).map((folder) => learn(collection, folder));
    learnt.push(...(await Promise.all(some)).flat());
  }
  await memory?.keep(known, learnt, new Set(folders));
  const read = new Map(learnt);
  return inOrder(folders.flatMap((folder) => known.get(folder) ?? read.get(folder) ?? []));
}

/** Nothing is learnt of a folder whose backup is not finished. */
async function learn(collection: Collection, folder: string): Promise<Remembered[]> {
  try {
    const found = await collection.backupIn(folder);
    return found === undefined ? [] : [[folder, logOf(found) ?? null]];
  } catch (error) {
    if (!(error instanceof CatenaError) || error.retryable) throw error;
    throw unreadable(folder, error);
  }
}

/** A manifest that cannot be read tells nothing here; whoever looks into all of them is told of it. */
async function logIn(collection: Collection, folder: string): Promise<LogManifest | undefined> {
  try {
    const found = await collection.backupIn(folder);
    return found && logOf(found);
  } catch (error) {
    if (error instanceof CatenaError && !error.retryable) return undefined;
    throw error;
  }
}

function logOf({ manifest, ref }: FoundBackup): LogManifest | undefined {
  if (manifest.source.driver !== 'postgres') return undefined;
  const { driverDetails: details } = manifest;
  const [start, end, size] = ['startLsn', 'endLsn', 'walSegmentSize'].map((field) => details?.[field]);
  if (typeof start !== 'string' || typeof end !== 'string' || typeof size !== 'number') return undefined;
  const { serverTimeline } = details ?? {};
  return {
    backup: manifest.backup,
    name: ref.name,
    isLog: manifest.type === 'log',
    timeline: Number(details?.['timeline']),
    ...(typeof serverTimeline === 'number' ? { serverTimeline } : {}),
    start: parseLsn(start),
    end: parseLsn(end),
    segmentSize: BigInt(size),
  };
}

function inOrder(logs: readonly LogManifest[]): LogManifest[] {
  return logs.toSorted((a, b) => (a.end < b.end ? -1 : a.end > b.end ? 1 : 0));
}

/** What a backup holds that cannot be read cannot be said, so nothing can be said not to be there. */
function unreadable(name: string, error: Error): WalSpoolError {
  return new WalSpoolError('wal.unreadable', `The backup ${name} cannot be read: ${error.message}`, {
    remedy: 'catena verify says what is damaged. Whether the log is complete cannot be said.',
    cause: error,
    details: { name },
  });
}
