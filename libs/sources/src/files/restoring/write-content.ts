import type { ByteRate } from '@catena/vault';
import * as fs from 'node:fs';

const block = 4096;
const zeros = Buffer.alloc(block);
/** Bigger writes wait on another thread: a slow disk must not stop everything else in the process. */
const mostAtOnce = 128 * 1024;

/**
 * Writes content to an empty file and leaves holes where it is zeros. Answers how many bytes it was.
 */
export async function writeContent(
  file: number,
  content: AsyncIterable<Uint8Array>,
  options: {
    signal?: AbortSignal | undefined;
    rate?: ByteRate | undefined;
    written?: (bytes: number) => void;
  },
): Promise<bigint> {
  let position = 0;
  let dataEnd = 0;
  for await (const chunk of content) {
    options.signal?.throwIfAborted();
    for (const [start, end] of dataIn(chunk, position)) {
      await options.rate?.take(end - start);
      await write(file, chunk.subarray(start, end), position + start);
      dataEnd = position + end;
    }
    position += chunk.length;
    options.written?.(chunk.length);
  }
  if (dataEnd < position) fs.ftruncateSync(file, position);
  return BigInt(position);
}

/** The stretches of a chunk that are not whole blocks of zeros, by blocks of the file. */
export function* dataIn(chunk: Uint8Array, position: number): Generator<[start: number, end: number]> {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  let start = 0;
  for (let at = (block - (position % block)) % block; at + block <= bytes.length; at += block) {
    if (bytes[at] !== 0 || bytes.compare(zeros, 0, block, at, at + block) !== 0) continue;
    if (at > start) yield [start, at];
    start = at + block;
  }
  if (start < bytes.length) yield [start, bytes.length];
}

async function write(file: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const left = bytes.length - done;
    done +=
      left <= mostAtOnce
        ? fs.writeSync(file, bytes, done, left, position + done)
        : await writeOnThread(file, bytes, done, left, position + done);
  }
}

/** Writes on a thread of the pool. Answers how many bytes it was, which may be fewer. */
export function writeOnThread(
  file: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  at: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(file, bytes, offset, length, at, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}
