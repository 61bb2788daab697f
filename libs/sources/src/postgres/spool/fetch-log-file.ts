/** A file of the log out of the log backups of a repository, as a recovering server asks for it. */
import { createWriteStream } from 'node:fs';
import { rm, truncate } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Collection, Manifest, PagedBackupReader, Repository } from '@catena/vault';
import { LOG_FOLDER, partName } from '../log/log-files.ts';
import { parseLsn } from '../wire/lsn.ts';
import { positionOfSegment, readWalFileName } from './wal-file-name.ts';
import { WalSpoolError } from './wal-spool-error.ts';

interface LogManifest {
  readonly manifest: Manifest;
  readonly name: string;
  readonly timeline: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly segmentSize: bigint;
}

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
 * @returns false when no backup holds it
 */
export async function fetchLogFile(collection: Collection, name: string, target: string): Promise<boolean> {
  const kind = readWalFileName(name);
  if (kind?.kind === 'history') return await fetchHistory(collection, name, kind.timeline, target);
  if (kind?.kind !== 'segment') return false;
  const found = await manifestsOf(collection);
  const [size] = found.map(({ segmentSize }) => segmentSize);
  if (size === undefined) return false;
  const from = positionOfSegment(kind.segment, size);
  const holders = found
    .filter((one) => one.timeline === kind.timeline && one.start < from + size && one.end > from)
    .toSorted((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  try {
    let reached = 0n;
    for (const holder of holders)
      reached = await writePart(collection, holder, { segment: name, from, reached }, target);
    if (reached === 0n) return false;
    // A data backup has behind its end what the server had used the file for before.
    await truncate(target, Number(reached));
    await truncate(target, Number(size));
    return true;
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  }
}

/** How far the segment is known after a backup has given what it holds of it. */
async function writePart(
  collection: Collection,
  { manifest, name, start, end }: LogManifest,
  { segment, from, reached }: { segment: string; from: bigint; reached: bigint },
  target: string,
): Promise<bigint> {
  const reader = await collection.openBackup({ backupId: manifest.backup, name });
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

async function fetchHistory(
  collection: Collection,
  name: string,
  timeline: number,
  target: string,
): Promise<boolean> {
  for (const { manifest, name: backup } of (await manifestsOf(collection)).reverse()) {
    if (manifest.type !== 'log' || Number(manifest.driverDetails?.['timeline']) > timeline) continue;
    const reader = await collection.openBackup({ backupId: manifest.backup, name: backup });
    try {
      const entry = await entryAt(reader, `${LOG_FOLDER}/${name}`);
      if (entry === undefined) continue;
      await pipeline(reader.content(entry), createWriteStream(target, { mode: 0o600 }));
      return true;
    } finally {
      await reader.close();
    }
  }
  return false;
}

function entryAt(reader: PagedBackupReader, path: string) {
  return reader.find(Buffer.from(path));
}

/** Log backups, and data backups for the log that each carries; copy-only ones as well. */
async function manifestsOf(collection: Collection): Promise<LogManifest[]> {
  const found: LogManifest[] = [];
  for await (const one of collection.listBackups()) {
    if (!('manifest' in one) || one.manifest.source.driver !== 'postgres') continue;
    const { driverDetails: details } = one.manifest;
    const [start, end, size] = ['startLsn', 'endLsn', 'walSegmentSize'].map((field) => details?.[field]);
    if (typeof start !== 'string' || typeof end !== 'string' || typeof size !== 'number') continue;
    found.push({
      manifest: one.manifest,
      name: one.ref.name,
      timeline: Number(details?.['timeline']),
      start: parseLsn(start),
      end: parseLsn(end),
      segmentSize: BigInt(size),
    });
  }
  return found.toSorted((a, b) => (a.end < b.end ? -1 : a.end > b.end ? 1 : 0));
}
