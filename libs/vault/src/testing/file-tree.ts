import type {
  AddContent,
  BackupPlan,
  BackupReader,
  BackupWriter,
  Collection,
  Entry,
  StoredEntry,
} from '../index.ts';
import { comparePaths } from '../index.ts';

/** A source that exists only in memory: paths and their content. */
export type FileTree = ReadonlyMap<string, Uint8Array>;

/** An entry of a file as a driver would make it; `version` changes with the content. */
export function fileEntry(path: string | Uint8Array, size: number, version = 1): Entry {
  return {
    path: typeof path === 'string' ? Buffer.from(path) : path,
    kind: 'file',
    mode: 0o644,
    uid: 1000,
    gid: 1000,
    mtime: BigInt(version) * 1_000_000_007n,
    ctime: BigInt(version) * 1_000_000_009n,
    inode: 42n,
    device: 64769n,
    size: BigInt(size),
  };
}

/** Reads bytes in chunks of a size that fits no block. */
export function bytesReader(
  bytes: Uint8Array,
  chunk = 100_003,
): Extract<AddContent, { read: unknown }>['read'] {
  return {
    sizeHint: BigInt(bytes.length),
    async *open() {
      for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
    },
  };
}

export function sortedPaths(tree: FileTree): string[] {
  return [...tree.keys()].sort((a, b) => comparePaths(Buffer.from(a), Buffer.from(b)));
}

/** A plan for tests; what is not given follows from the id. */
export function planOf(backupId: string, more: Partial<BackupPlan> = {}): BackupPlan {
  return {
    backupId,
    run: `run-${backupId}`,
    attempt: 1,
    type: 'full',
    source: { name: 'photos', uid: 'source-1', family: 'tree:/photos', driver: 'files' },
    startedAt: new Date('2026-11-20T12:00:00.120Z'),
    ...more,
  };
}

/** Adds a whole tree; files that are `unchanged` are taken over from the parent without reading. */
export async function addTree(
  writer: BackupWriter,
  tree: FileTree,
  unchanged: (path: string) => boolean = () => false,
): Promise<void> {
  const before = new Map<string, StoredEntry>();
  for await (const entry of writer.previous()) before.set(Buffer.from(entry.path).toString(), entry);
  const adding: Promise<unknown>[] = [];
  for (const path of sortedPaths(tree)) {
    const bytes = tree.get(path)!;
    const old = before.get(path);
    const content: AddContent =
      old !== undefined && unchanged(path)
        ? { asBefore: old }
        : { read: bytesReader(bytes), ...(old === undefined ? {} : { before: old }) };
    adding.push(writer.add(fileEntry(path, bytes.length), content));
    if (adding.length >= 16) await adding.shift();
  }
  await Promise.all(adding);
}

/** Everything a backup holds, read back and verified. */
export async function readTree(reader: BackupReader): Promise<Map<string, Buffer>> {
  const tree = new Map<string, Buffer>();
  for await (const entry of reader.entries()) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of reader.content(entry)) chunks.push(Uint8Array.from(chunk));
    tree.set(Buffer.from(entry.path).toString(), Buffer.concat(chunks));
  }
  return tree;
}

/** As {@link readTree}, of a backup that is opened for it, and closed. */
export async function readBackup(collection: Collection, backup: string): Promise<Map<string, Buffer>> {
  const reader = await collection.openBackup(backup);
  try {
    return await readTree(reader);
  } finally {
    await reader.close();
  }
}
