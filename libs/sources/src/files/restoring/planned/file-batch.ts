/** Many small files as one message: columns, because an object for each file costs more to pass on than to write it. */
import type { ByteString } from '../../../system-calls/index.ts';
import type { FileToMake } from './restoring-tasks.ts';

/** A file and how many stretches of a plan its content is. */
export type PlannedSmallFile = FileToMake & { readonly stretches: number };

export interface FileBatch {
  readonly count: number;
  /** Names and paths, one after another, and where each ends. */
  readonly names: string;
  readonly nameEnds: Uint32Array;
  readonly paths: string;
  readonly pathEnds: Uint32Array;
  /** 32 bytes for each. */
  readonly hashes: Uint8Array;
  readonly folders: Int32Array;
  readonly sizes: Float64Array;
  readonly stretches: Uint32Array;
  readonly syncs: Uint8Array;
  /** Whether there are metadata; they are 0 where there are none. */
  readonly hasMetadata: Uint8Array;
  readonly modes: Uint32Array;
  readonly uids: Uint32Array;
  readonly gids: Uint32Array;
  readonly mtimes: BigInt64Array;
}

const hashBytes = 32;

/** @param stretchesOf how many stretches of the plan the content of a file is, by its number */
export function packBatch(files: readonly FileToMake[], stretchesOf: readonly number[]): FileBatch {
  const count = files.length;
  const batch = {
    count,
    names: '',
    nameEnds: new Uint32Array(count),
    paths: '',
    pathEnds: new Uint32Array(count),
    hashes: new Uint8Array(count * hashBytes),
    folders: new Int32Array(count),
    sizes: new Float64Array(count),
    stretches: Uint32Array.from(stretchesOf),
    syncs: new Uint8Array(count),
    hasMetadata: new Uint8Array(count),
    modes: new Uint32Array(count),
    uids: new Uint32Array(count),
    gids: new Uint32Array(count),
    mtimes: new BigInt64Array(count),
  };
  for (const [i, { folder, name, path, sha256, size, sync, metadata }] of files.entries()) {
    batch.names += name;
    batch.nameEnds[i] = batch.names.length;
    batch.paths += path;
    batch.pathEnds[i] = batch.paths.length;
    batch.hashes.set(sha256, i * hashBytes);
    batch.folders[i] = folder;
    batch.sizes[i] = size;
    batch.syncs[i] = Number(sync);
    if (metadata === undefined) continue;
    batch.hasMetadata[i] = 1;
    batch.modes[i] = metadata.mode;
    batch.uids[i] = metadata.uid;
    batch.gids[i] = metadata.gid;
    batch.mtimes[i] = metadata.mtime;
  }
  return batch;
}

/** File after file, as they were packed. */
export function* unpackBatch(batch: FileBatch): Iterable<PlannedSmallFile> {
  for (let i = 0; i < batch.count; i++) {
    const metadata = {
      kind: 'file',
      mode: batch.modes[i] ?? 0,
      uid: batch.uids[i] ?? 0,
      gid: batch.gids[i] ?? 0,
      mtime: batch.mtimes[i] ?? 0n,
    } as const;
    yield {
      folder: batch.folders[i] ?? -1,
      name: textAt(batch.names, batch.nameEnds, i),
      path: textAt(batch.paths, batch.pathEnds, i),
      sha256: batch.hashes.subarray(i * hashBytes, (i + 1) * hashBytes),
      size: batch.sizes[i] ?? 0,
      stretches: batch.stretches[i] ?? 0,
      sync: batch.syncs[i] === 1,
      ...(batch.hasMetadata[i] === 1 ? { metadata } : {}),
    };
  }
}

function textAt(texts: string, ends: Uint32Array, i: number): ByteString {
  return texts.slice(ends[i - 1] ?? 0, ends[i]) as ByteString;
}
