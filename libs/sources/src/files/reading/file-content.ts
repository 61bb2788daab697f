/** Reads the content of one file and tells whether it held still meanwhile. */
import type { ContentReader, OpenContent } from '@catena/vault';
import * as fs from 'node:fs';
import {
  dataAfter,
  shownName,
  statusOfOpen,
  blamesOneFile,
  systemCodeOf,
  type ByteString,
  type FileStatus,
  type FolderHandle,
} from '../../system-calls/index.ts';
import type { Found } from './walk.ts';

/** Up to here a file is read again should it change meanwhile. */
export const againSize = 8 * 1024 * 1024;
/** Up to here a file is read into memory at once: waiting for another thread takes longer than that. */
export const smallSize = 256 * 1024;
const chunkSize = 1024 * 1024;
const zeros = Buffer.alloc(chunkSize);

/** Whether it has holes, as far as its status tells. */
export function isSparse({ allocated, size }: FileStatus): boolean {
  return allocated < size;
}

/** A source file that could not be read; its code is the warning's. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
  readonly code: 'file.vanished' | 'file.unreadable';

  constructor(path: ByteString, cause: unknown) {
    const reason = systemCodeOf(cause) ?? String(cause);
    // ELOOP and ENXIO: a link, or a socket, has taken the place of the file.
    const gone = ['ENOENT', 'ENOTDIR', 'ESTALE', 'ELOOP', 'ENXIO'].includes(reason);
    super(
      gone
        ? `'${shownName(path)}' was removed or replaced while the backup ran; it is not in the backup.`
        : `'${shownName(path)}' cannot be read (${reason}); it is not in the backup.`,
      { cause },
    );
    this.code = gone ? 'file.vanished' : 'file.unreadable';
  }
}

/** Whether content may have changed between two looks at an open file. */
export function heldStill(before: FileStatus, after: FileStatus): boolean {
  return before.size === after.size && before.mtime === after.mtime && before.ctime === after.ctime;
}

/** A file of the source, open for reading. */
export class OpenFile {
  readonly path: ByteString;
  readonly fd: number;

  /** Opens what the walk found. Throws `UnreadableFile`. */
  constructor(found: Found) {
    this.path = found.path;
    this.fd = unlessUnreadable(found.path, () => openQuietly(found.folder, found.name));
  }

  /** Undefined when it is no ordinary file (any more). Throws `UnreadableFile`. */
  statusIfFile(): FileStatus | undefined {
    const status = unlessUnreadable(this.path, () => statusOfOpen(this.fd));
    return status.kind === 'file' ? status : undefined;
  }

  /** Throws `UnreadableFile` also when it is no ordinary file (any more). */
  status(): FileStatus {
    const status = this.statusIfFile();
    if (status !== undefined) return status;
    throw new UnreadableFile(this.path, Object.assign(new Error('replaced'), { code: 'ENOENT' }));
  }

  close(): void {
    fs.closeSync(this.fd);
  }
}

/** Without changing the access time where that is allowed (to the owner), and never waiting for a FIFO's writer. */
function openQuietly(folder: FolderHandle, name: ByteString): number {
  const flags = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;
  try {
    return folder.openFile(name, flags | fs.constants.O_NOATIME);
  } catch (error) {
    if (systemCodeOf(error) !== 'EPERM') throw error;
    return folder.openFile(name, flags);
  }
}

/** All of an open file; at most `limit` bytes, so that a file that grows ends. Throws `UnreadableFile`. */
export async function readWhole(file: OpenFile, limit: number): Promise<Buffer> {
  if (limit <= smallSize) return readSmall(file, Buffer.allocUnsafe(limit));
  const content = Buffer.allocUnsafe(limit);
  for (let length = 0; ;) {
    const count = await readOnThread(file.path, file.fd, content.subarray(length), length);
    length += count;
    if (count === 0 || length === limit) return content.subarray(0, length);
  }
}

/** As `readWhole`, at once: as many bytes as there is memory for. Throws `UnreadableFile`. */
export function readSmall({ path, fd }: OpenFile, memory: Buffer): Buffer {
  let length = 0;
  try {
    while (length < memory.length) {
      const count = fs.readSync(fd, memory, length, memory.length - length, length);
      if (count === 0) break;
      length += count;
    }
  } catch (error) {
    if (!blamesOneFile(error)) throw error;
    throw new UnreadableFile(path, error);
  }
  return length === memory.length ? memory : memory.subarray(0, length);
}

/** Content that is in memory. */
export function contentInMemory(content: Buffer): ContentReader {
  return {
    sizeHint: BigInt(content.length),
    whole: content,
    async *open() {
      if (content.length > 0) yield content;
    },
  };
}

/** What goes on while a file is read that is not in memory. */
interface StreamReading {
  readonly done: () => FileStatus | undefined;
  /** Told how many bytes have been read since it was last called. */
  readonly onRead: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Content of an open file up to `size`, read by the writer itself, or one chunk ahead of who asks for it if there are
 * holes: those are not read, they are zeros.
 *
 * @param reading.done called when all of it has been handed out; says how the file is if it is to be read again, which
 * only the writer can do
 */
export function contentOfOpen(
  { path, fd }: OpenFile,
  status: FileStatus,
  { done, onRead, signal }: StreamReading,
): ContentReader {
  const size = status.size;
  const sparse = isSparse(status);
  const failed = (error: unknown) => (blamesOneFile(error) ? new UnreadableFile(path, error) : error);
  return {
    sizeHint: size,
    ...(sparse ? {} : { file: opened(size) }),
    async *open() {
      const buffers = [Buffer.allocUnsafeSlow(chunkSize), Buffer.allocUnsafeSlow(chunkSize)] as const;
      let turn = 0;
      let ahead = start(0n);
      try {
        for (;;) {
          signal?.throwIfAborted();
          const { chunk, end } = await ahead;
          if (chunk.length === 0) break;
          ahead = start(end);
          onRead(chunk.length);
          yield chunk;
        }
      } finally {
        // The file may be closed next, and its number belong to another one: no read may be under way then.
        await settled(ahead);
      }
      done();

      function start(position: bigint): Promise<{ chunk: Buffer; end: bigint }> {
        turn += 1;
        const promise = readAt(position, buffers[turn % 2 === 0 ? 0 : 1]);
        // Awaited a round later; until then a failure is not an unhandled one.
        promise.catch(() => undefined);
        return promise;
      }
    },
  };

  function opened(bytes: bigint): OpenContent {
    const again = () => {
      const changed = done();
      return changed && opened(changed.size);
    };
    return { descriptor: fd, size: bytes, done: again, onRead, failed };
  }

  async function readAt(position: bigint, buffer: Buffer): Promise<{ chunk: Buffer; end: bigint }> {
    let limit = size - position;
    if (sparse && limit > 0n) {
      const data = unlessUnreadable(path, () => dataAfter(fd, position)) ?? { start: size, end: size };
      const hole = data.start - position;
      if (hole > 0n) {
        const length = smaller(hole < limit ? hole : limit, zeros.length);
        return { chunk: zeros.subarray(0, length), end: position + BigInt(length) };
      }
      limit = data.end - position < limit ? data.end - position : limit;
    }
    const length = await readOnThread(path, fd, buffer.subarray(0, smaller(limit, buffer.length)), position);
    return { chunk: buffer.subarray(0, length), end: position + BigInt(length) };
  }
}

/** Fills a buffer as far as the file goes on from a position. Throws `UnreadableFile`. */
function readOnThread(
  path: ByteString,
  fd: number,
  into: Buffer,
  position: number | bigint,
): Promise<number> {
  if (into.length === 0) return Promise.resolve(0);
  return new Promise((resolve, reject) => {
    fs.read(fd, into, 0, into.length, position, (error, count) => {
      if (error) reject(blamesOneFile(error) ? new UnreadableFile(path, error) : error);
      else resolve(count);
    });
  });
}

function smaller(wanted: bigint, limit: number): number {
  return wanted < BigInt(limit) ? Number(wanted) : limit;
}

async function settled(promise: Promise<unknown>): Promise<void> {
  await promise.then(
    () => undefined,
    () => undefined,
  );
}

function unlessUnreadable<T>(path: ByteString, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!blamesOneFile(error)) throw error;
    throw new UnreadableFile(path, error);
  }
}
