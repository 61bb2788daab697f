/**
 * Compares a backup with what the server said it sent, before anything of it is written. The vault proves that content
 * is what was stored; this proves that what was stored is the whole cluster.
 */
import type { BackupReader, StoredEntry } from '@catena/vault';
import { RestoreError } from '../../port/restore-error.ts';
import type { SourceTotals } from '../../port/source-driver.ts';
import { MANIFEST_PATH } from '../cluster/parent-files.ts';
import { ServerManifest, type ManifestFile } from '../cluster/server-manifest.ts';
import { targetOfIncremental } from '../pages/incremental-file.ts';
import { PAGE_BYTES } from '../pages/page-checksum.ts';
import { parseTablespaceMap, type SourceTablespace } from './tablespace-places.ts';

/** What is known of a cluster before it is written. */
export interface CheckedCluster {
  readonly tablespaces: readonly SourceTablespace[];
  readonly paths: ReadonlySet<string>;
  /** What there is of each tablespace, by number, and of the data folder without them (''). */
  readonly totals: ReadonlyMap<string, TreeTotals>;
}

export interface TreeTotals extends SourceTotals {
  /** Bytes that it takes on disk. */
  readonly room: number;
}

/** What files take on disk is counted in these, as most file systems do. */
const BLOCK = 4096;
const NOTHING: TreeTotals = { files: 0, bytes: 0, room: 0 };

interface KnownFile {
  readonly size: bigint;
  readonly sha256: string | undefined;
}

/** Throws `restore.contentMissing` or `restore.contentWrong`, which names the file. */
export async function checkAgainstManifest(reader: BackupReader): Promise<CheckedCluster> {
  const files = new Map<string, KnownFile>();
  const paths = new Set<string>();
  const tablespaces: string[] = [];
  const totals = new Map<string, TreeTotals>();
  let manifestEntry: StoredEntry | undefined;
  let mapEntry: StoredEntry | undefined;
  for await (const entry of reader.entries()) {
    const path = Buffer.from(entry.path).toString('utf8');
    paths.add(path);
    if (path === MANIFEST_PATH) manifestEntry = entry;
    if (path === 'tablespace_map') mapEntry = entry;
    const oid = /^pg_tblspc\/(\d+)$/.exec(path)?.[1];
    if (oid !== undefined) tablespaces.push(oid);
    if (entry.content === undefined) continue;
    const { sha256 } = entry.content;
    const tree = /^pg_tblspc\/(\d+)\//.exec(path)?.[1] ?? '';
    totals.set(tree, withFile(totals.get(tree), Number(entry.content.size)));
    files.set(path, {
      size: entry.size,
      sha256: sha256 === undefined ? undefined : Buffer.from(sha256).toString('hex'),
    });
  }
  if (manifestEntry === undefined) throw missing(reader, MANIFEST_PATH);
  for (const path of ['PG_VERSION', 'backup_label', 'global/pg_control'])
    if (!files.has(path)) throw missing(reader, path);
  const manifest = new ServerManifest((file) => compare(reader, file, files));
  for await (const piece of reader.content(manifestEntry)) manifest.push(piece);
  manifest.end();
  const locations = mapEntry === undefined ? new Map<string, string>() : await readMap(reader, mapEntry);
  return { tablespaces: tablespaces.map((oid) => ({ oid, location: locations.get(oid) })), paths, totals };
}

function withFile({ files, bytes, room } = NOTHING, size: number): TreeTotals {
  return { files: files + 1, bytes: bytes + size, room: room + Math.ceil(size / BLOCK) * BLOCK };
}

async function readMap(reader: BackupReader, entry: StoredEntry): Promise<Map<string, string>> {
  const pieces: Uint8Array[] = [];
  for await (const piece of reader.content(entry)) pieces.push(Uint8Array.from(piece));
  return parseTablespaceMap(Buffer.concat(pieces).toString('utf8'));
}

function compare(reader: BackupReader, file: ManifestFile, files: ReadonlyMap<string, KnownFile>): void {
  const target = targetOfIncremental(file.path);
  const known = files.get(target ?? file.path);
  if (known === undefined) throw missing(reader, target ?? file.path);
  if (target !== undefined) {
    if (known.size % BigInt(PAGE_BYTES) !== 0n) throw wrong(reader, target, 'it does not end with a page');
    return;
  }
  if (known.size !== BigInt(file.size))
    throw wrong(reader, file.path, `it has ${known.size} bytes and not ${file.size}`);
  if (file.algorithm === 'SHA256' && known.sha256 !== undefined && known.sha256 !== file.checksum)
    throw wrong(reader, file.path, 'it has another SHA-256');
}

function missing({ manifest }: BackupReader, path: string): RestoreError {
  return new RestoreError(
    'restore.contentMissing',
    `The backup ${manifest.backup} of the cluster lacks '${path}'.`,
    { remedy: 'Verify the backup, and restore from another one.', details: { path } },
  );
}

function wrong({ manifest }: BackupReader, path: string, why: string): RestoreError {
  return new RestoreError(
    'restore.contentWrong',
    `The backup ${manifest.backup} does not hold '${path}' as the server sent it: ${why}.`,
    { remedy: 'Verify the backup, and restore from another one.', details: { path } },
  );
}
