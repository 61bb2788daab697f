import type { FileHandle } from 'node:fs/promises';
import { PAGE_BYTES } from '../../pages/page-checksum.ts';

/** What is needed of a file that is rewritten in place. */
export type FileInPlace = Pick<FileHandle, 'read' | 'write'>;

/**
 * Writes the pages of a piece that are not on disk as they should be, those that lie together at once.
 * @param at where the piece begins in the file
 * @returns how many bytes had to be written
 */
export async function writeDifferences(file: FileInPlace, piece: Uint8Array, at: number): Promise<number> {
  const there = Buffer.alloc(piece.length);
  const { bytesRead } = await file.read(there, 0, piece.length, at);
  let written = 0;
  let from: number | undefined;
  for (let page = 0; page <= piece.length; page += PAGE_BYTES) {
    const end = Math.min(page + PAGE_BYTES, piece.length);
    const isEnd = page >= piece.length;
    const isSame = !isEnd && end <= bytesRead && there.compare(piece, page, end, page, end) === 0;
    if (!isSame && !isEnd) from ??= page;
    else if (from !== undefined) {
      await writeFully(file, piece.subarray(from, page), at + from);
      written += page - from;
      from = undefined;
    }
  }
  if (from !== undefined) {
    await writeFully(file, piece.subarray(from), at + from);
    written += piece.length - from;
  }
  return written;
}

/** A disk that is almost full takes a part of what it is given, and says only how much that was. */
async function writeFully(file: FileInPlace, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;)
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}
