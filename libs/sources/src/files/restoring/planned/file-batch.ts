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

export function packBatch(files: readonly PlannedSmallFile[]): FileBatch {
  const count = files.length;
  const hashes = new Uint8Array(count * hashBytes);
  for (const [i, { sha256 }] of files.entries()) hashes.set(sha256, i * hashBytes);
  const metadata = files.map((file) => file.metadata);
  return {
    count,
    names: files.map(({ name }) => name).join(''),
    nameEnds: endsOf(files.map(({ name }) => name)),
    paths: files.map(({ path }) => path).join(''),
    pathEnds: endsOf(files.map(({ path }) => path)),
    hashes,
    folders: Int32Array.from(files, ({ folder }) => folder),
    sizes: Float64Array.from(files, ({ size }) => size),
    stretches: Uint32Array.from(files, ({ stretches }) => stretches),
    syncs: Uint8Array.from(files, ({ sync }) => Number(sync)),
    hasMetadata: Uint8Array.from(metadata, (one) => Number(one !== undefined)),
    modes: Uint32Array.from(metadata, (one) => one?.mode ?? 0),
    uids: Uint32Array.from(metadata, (one) => one?.uid ?? 0),
    gids: Uint32Array.from(metadata, (one) => one?.gid ?? 0),
    mtimes: BigInt64Array.from(metadata, (one) => one?.mtime ?? 0n),
  };
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

function endsOf(texts: readonly string[]): Uint32Array {
  let end = 0;
  return Uint32Array.from(texts, (text) => (end += text.length));
}

function textAt(texts: string, ends: Uint32Array, i: number): ByteString {
  return texts.slice(ends[i - 1] ?? 0, ends[i]) as ByteString;
}
