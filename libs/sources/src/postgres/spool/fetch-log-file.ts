/** A file of the log out of the log backups of a repository, as a recovering server asks for it. */
import { createWriteStream } from 'node:fs';
import { rm, truncate, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Collection, PagedBackupReader, Repository, StoredEntry } from '@catena/vault';
import { historyOfAncestor } from '../cluster/fork.ts';
import { LOG_FOLDER, partName } from '../log/log-files.ts';
import { allLogs, likelyHistories, likelyLogs, mayHoldHistory } from './log-manifests.ts';
import type { LogManifest, LogMemory } from './log-memory.ts';
import { historyName, positionOfSegment, readWalFileName } from './wal-file-name.ts';
import { WalSpoolError } from './wal-spool-error.ts';

/**
 * The collection of a repository that holds the log of a PostgreSQL cluster.
 * @param source whose log; needed where there are several
 * @throws WalSpoolError `wal.which-source`
 */
export async function collectionWithLog(
  repository: Repository,
  source: string | undefined,
): Promise<Collection> {
  const found = new Map<string, Collection>();
  for (const id of await repository.collections()) {
    const collection = repository.collection(id);
    const name = await sourceOf(collection);
    if (name !== undefined && (source === undefined || name === source)) found.set(name, collection);
  }
  const [only, another] = found.values();
  if (only !== undefined && another === undefined) return only;
  throw new WalSpoolError(
    'wal.which-source',
    found.size === 0
      ? `The repository holds no backup of ${source === undefined ? 'a PostgreSQL cluster' : source}.`
      : `The repository holds the log of ${[...found.keys()].join(', ')}.`,
    { remedy: 'Name the source with --source.', details: { sources: [...found.keys()] } },
  );
}

/** What the first backup that can be read calls its source, if that is a PostgreSQL cluster. */
async function sourceOf(collection: Collection): Promise<string | undefined> {
  for await (const one of collection.listBackups())
    if ('manifest' in one)
      return one.manifest.source.driver === 'postgres' ? one.manifest.source.name : undefined;
  return undefined;
}

/**
 * Writes a segment or a history file to where the server wants it. A segment that is known in part is padded with zeros: what
 * comes next was never backed up.
 * @param memory what is known of manifests already; without, all of them are read to say that none holds the file
 * @returns false when no backup holds it
 */
export async function fetchLogFile(
  collection: Collection,
  name: string,
  target: string,
  memory?: LogMemory,
): Promise<boolean> {
  const kind = readWalFileName(name);
  if (kind?.kind !== 'history' && kind?.kind !== 'segment') return false;
  try {
    if (kind.kind === 'history') return await fetchHistory(collection, kind.timeline, target, memory);
    // Most segments are whole in logs that follow on each other: thousands of others need not be looked at.
    const likely = await likelyLogs(collection, kind);
    if ((await writeSegment(collection, likely, kind, target)).isWhole) return true;
    return await fetchFromAny(await allLogs(collection, memory), collection, name, kind, target);
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  }
}

async function fetchFromAny(
  found: readonly LogManifest[],
  collection: Collection,
  name: string,
  kind: { readonly timeline: number; readonly segment: string },
  target: string,
): Promise<boolean> {
  const { from, reached, isWhole } = await writeSegment(collection, found, kind, target);
  // A data backup may be newer than the log that is backed up so far: that is no gap.
  const logs = found.filter(({ isLog, timeline }) => isLog && timeline === kind.timeline);
  const later = logs.find((one) => one.start >= from + reached && one.end > from + reached);
  if (later !== undefined && !isWhole)
    throw new WalSpoolError(
      'wal.gap',
      `${name} is ${reached === 0n ? 'missing' : 'there in part'}, though the backup ${later.backup} holds what comes after it.`,
      {
        remedy: 'Recover to a place before it, or from a data backup after it.',
        details: { name, backup: later.backup },
      },
    );
  return reached > 0n;
}

/**
 * Writes what backups hold of a segment.
 * @returns where it begins, and how many bytes of it are there
 */
async function writeSegment(
  collection: Collection,
  logs: readonly LogManifest[],
  { timeline, segment }: { readonly timeline: number; readonly segment: string },
  target: string,
): Promise<{ readonly from: bigint; readonly reached: bigint; readonly isWhole: boolean }> {
  const [size] = logs.map(({ segmentSize }) => segmentSize);
  if (size === undefined) return { from: 0n, reached: 0n, isWhole: false };
  const from = positionOfSegment(segment, size);
  const holders = logs
    .filter((one) => one.timeline === timeline && one.start < from + size && one.end > from)
    .toSorted((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  let reached = 0n;
  for (const holder of holders)
    reached = await writePart(collection, holder, { segment, from, reached }, target);
  if (reached > 0n) {
    // A data backup has behind its end what the server had used the file for before.
    await truncate(target, Number(reached));
    await truncate(target, Number(size));
  }
  return { from, reached, isWhole: reached === size };
}

/** How far the segment is known after a backup has given what it holds of it. */
async function writePart(
  collection: Collection,
  { backup, name, start, end }: LogManifest,
  { segment, from, reached }: { segment: string; from: bigint; reached: bigint },
  target: string,
): Promise<bigint> {
  const reader = await collection.openBackup({ backupId: backup, name });
  try {
    const whole = await entryAt(reader, `${LOG_FOLDER}/${segment}`);
    if (whole !== undefined) {
      const known = whole.size < end - from ? whole.size : end - from;
      if (known <= reached) return reached;
      await pipeline(reader.content(whole), createWriteStream(target, { mode: 0o600 }));
      return known;
    }
    const offset = start > from ? start - from : 0n;
    const part = await entryAt(reader, `${LOG_FOLDER}/${partName(segment, offset)}`);
    // Without what comes before it a part is worth nothing.
    if (part === undefined || offset > reached || offset + part.size <= reached) return reached;
    const where = createWriteStream(target, { flags: 'r+', start: Number(offset) });
    await pipeline(reader.content(part), where);
    return offset + part.size;
  } finally {
    await reader.close();
  }
}

/**
 * The history of a timeline is in log backups of it, or is the beginning of that of one that came after it. Only to say that
 * there is none all of them are looked at.
 */
async function fetchHistory(
  collection: Collection,
  timeline: number,
  target: string,
  memory: LogMemory | undefined,
): Promise<boolean> {
  const seen = new Set<string>();
  const isWritten = async (one: LogManifest): Promise<boolean> => {
    if (seen.has(one.name)) return false;
    seen.add(one.name);
    return await writeHistory(collection, one, timeline, target);
  };
  for await (const one of likelyHistories(collection, timeline)) if (await isWritten(one)) return true;
  const all = await allLogs(collection, memory);
  const others = all.filter((one) => one.isLog && mayHoldHistory(one, timeline));
  for (const one of others.reverse()) if (await isWritten(one)) return true;
  return false;
}

async function writeHistory(
  collection: Collection,
  { backup, name }: LogManifest,
  timeline: number,
  target: string,
): Promise<boolean> {
  const reader = await collection.openBackup({ backupId: backup, name });
  try {
    const text = await historyIn(reader, timeline);
    if (text === undefined) return false;
    await writeFile(target, text, { mode: 0o600 });
    return true;
  } finally {
    await reader.close();
  }
}

/** A log backup holds one history file: that of the timeline its server was on. */
async function historyIn(reader: PagedBackupReader, timeline: number): Promise<string | undefined> {
  const own = await entryAt(reader, `${LOG_FOLDER}/${historyName(timeline)}`);
  if (own !== undefined) return await textOf(reader, own);
  for await (const entry of reader.entries()) {
    const name = Buffer.from(entry.path)
      .toString('utf8')
      .slice(LOG_FOLDER.length + 1);
    const kind = readWalFileName(name);
    if (kind?.kind !== 'history' || kind.timeline < timeline) continue;
    const ancestor = historyOfAncestor(await textOf(reader, entry), timeline);
    if (ancestor !== undefined) return ancestor;
  }
  return undefined;
}

async function textOf(reader: PagedBackupReader, entry: StoredEntry): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of reader.content(entry)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString('utf8');
}

function entryAt(reader: PagedBackupReader, path: string) {
  return reader.find(Buffer.from(path));
}
