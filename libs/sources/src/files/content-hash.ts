import { createHash } from 'node:crypto';
import * as fs from 'node:fs';

const chunkSize = 1024 * 1024;
const mostAtOnce = 256 * 1024;

/** SHA-256 of what an open file holds. */
export async function hashOfOpen(file: number, size: bigint, signal?: AbortSignal): Promise<Buffer> {
  const hash = createHash('sha256');
  if (size <= BigInt(mostAtOnce)) {
    const content = Buffer.allocUnsafe(Number(size));
    let length = 0;
    for (let read = -1; read !== 0 && length < content.length; length += read) {
      read = fs.readSync(file, content, length, content.length - length, length);
    }
    return hash.update(content.subarray(0, length)).digest();
  }
  const chunk = Buffer.allocUnsafeSlow(chunkSize);
  for (let position = 0; ;) {
    signal?.throwIfAborted();
    const length = await read(file, chunk, position);
    if (length === 0) return hash.digest();
    hash.update(chunk.subarray(0, length));
    position += length;
  }
}

function read(file: number, chunk: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(file, chunk, 0, chunk.length, position, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}
