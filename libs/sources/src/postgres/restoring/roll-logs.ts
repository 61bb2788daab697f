/** Puts the log that is to be rolled on top of a data backup where the copy's own recovery finds it. */
import { createWriteStream } from 'node:fs';
import { access, mkdir, open, truncate } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { BackupReader, Manifest, StoredEntry } from '@catena/vault';
import { RestoreError } from '../../port/restore-error.ts';
import type { LogToRoll } from '../../port/source-driver.ts';
import { LOG_FOLDER, readPartName } from '../log/log-files.ts';
import { formatLsn } from '../wire/lsn.ts';
import { HISTORY, SEGMENT } from './readable-log.ts';

/**
 * Refuses logs that do not follow on each other and on the data backup.
 * @throws RestoreError `restore.logGap`
 */
export function checkLogs(reader: BackupReader, logs: readonly LogToRoll[]): void {
  let reached = BigInt(reader.manifest.position?.end ?? '0');
  let name = reader.manifest.backup;
  for (const { manifest } of logs) {
    const { start, end } = manifest.position ?? {};
    if (start === undefined || end === undefined || BigInt(start) > reached)
      throw new RestoreError(
        'restore.logGap',
        `The log ${manifest.backup} begins at ${start === undefined ? 'no position' : formatLsn(BigInt(start))}, but ${name} ends at ${formatLsn(reached)}: what is between is missing.`,
        { remedy: 'Restore to a time before the gap, or from a data backup after it.' },
      );
    if (BigInt(end) > reached) reached = BigInt(end);
    name = manifest.backup;
  }
}

/**
 * Writes the segments and history files, durably. Of a segment that several logs hold from its beginning, the last one
 * holds most; the end of one is put behind what the logs before, or the data backup itself, hold of it. One log is open at
 * a time.
 * @param folder the staged data folder
 */
export async function writeLogs(
  folder: string,
  logs: readonly LogToRoll[],
  owner: { readonly uid: number; readonly gid: number },
  signal: AbortSignal | undefined,
): Promise<{ files: number; bytes: number }> {
  const target = path.join(folder, LOG_FOLDER);
  await mkdir(target, { recursive: true, mode: 0o700 });
  let files = 0;
  let bytes = 0;
  for (const log of logs) {
    signal?.throwIfAborted();
    const size = segmentSizeOf(log.manifest);
    const reader = await log.open();
    try {
      for await (const entry of reader.entries()) {
        signal?.throwIfAborted();
        if (!(await writeLogFile(target, reader, entry, size, owner))) continue;
        files += 1;
        bytes += Number(entry.size);
      }
    } finally {
      await reader.close();
    }
  }
  await sync(target);
  return { files, bytes };
}

/** Bytes that the log takes on disk: whole segments of each timeline, from where the first log begins to where the last ends. */
export function roomForLogs(logs: readonly LogToRoll[]): number {
  let room = 0n;
  let before: { readonly fork: string | undefined; readonly until: bigint } | undefined;
  for (const { manifest } of logs) {
    const { start = '0', end = '0', fork } = manifest.position ?? {};
    const size = BigInt(segmentSizeOf(manifest));
    const from = BigInt(start) - (BigInt(start) % size);
    const until = ((BigInt(end) + size - 1n) / size) * size;
    const known = before !== undefined && before.fork === fork && before.until > from ? before.until : from;
    if (until > known) room += until - known;
    before = { fork, until: until > known ? until : known };
  }
  return Number(room);
}

/** @returns false for what is no log, and for an end of a segment that nobody needs */
async function writeLogFile(
  target: string,
  reader: BackupReader,
  entry: StoredEntry,
  segmentSize: number,
  owner: { readonly uid: number; readonly gid: number },
): Promise<boolean> {
  const name = nameOf(entry);
  if (name === undefined) return false;
  const part = readPartName(name);
  const file = path.join(target, part?.segment ?? name);
  // What a segment is the end of is there, or it lies before what the data backup needs.
  if (part !== undefined && !(await isThere(file))) return false;
  await writeContent(reader, entry, file, part?.offset, owner);
  // The server wants segments of their full length; what is behind the log's end is zeros.
  if (!HISTORY.test(name)) await truncate(file, segmentSize);
  await sync(file);
  return true;
}

/** @throws RestoreError `restore.contentMissing` for a log that was not written by this driver. */
export function segmentSizeOf(manifest: Manifest): number {
  const size = manifest.driverDetails?.['walSegmentSize'];
  if (typeof size === 'number') return size;
  throw new RestoreError(
    'restore.contentMissing',
    `The log ${manifest.backup} does not say how large its segments are.`,
    { remedy: 'It was not written by this driver; leave it out with --no-logs.' },
  );
}

function nameOf(entry: StoredEntry): string | undefined {
  const full = Buffer.from(entry.path).toString('utf8');
  const name = full.startsWith(`${LOG_FOLDER}/`) ? full.slice(LOG_FOLDER.length + 1) : '';
  const isLog = SEGMENT.test(name) || HISTORY.test(name) || readPartName(name) !== undefined;
  return isLog ? name : undefined;
}

async function isThere(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}

/** @param offset of the end of a segment; undefined for a file that is written from its beginning */
async function writeContent(
  reader: BackupReader,
  entry: StoredEntry,
  file: string,
  offset: number | undefined,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const how = offset === undefined ? { flags: 'w' } : { flags: 'r+', start: offset };
  await pipeline(reader.content(entry), createWriteStream(file, { mode: 0o600, ...how }));
  // Behind it lies what the data backup had there: old log that the server has used the file for before.
  if (offset !== undefined) await truncate(file, offset + Number(entry.size));
  if (uid !== process.geteuid?.()) {
    const handle = await open(file, 'r');
    try {
      await handle.chown(uid, gid);
    } finally {
      await handle.close();
    }
  }
}

async function sync(place: string): Promise<void> {
  const handle = await open(place, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
