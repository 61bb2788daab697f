import type { ByteRate } from '@catena/vault';
import type { WritableDisk } from '../disk/disk.ts';

const blockSize = 4096;
const pieceSize = 1024 * 1024;
const zeros = Buffer.alloc(pieceSize);

export interface WriteImageOptions {
  /** Whether the disk reads as zeros everywhere, so that nothing has to be looked at or cleared. */
  readonly isBlank: boolean;
  /** Hears of each piece when it is on the disk: how long it is, and how much of it had to be written. */
  readonly passed: (bytes: number, written: number) => void;
  /** How fast it may be written to. */
  readonly rate?: ByteRate | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Makes a disk hold the content, writing only what differs from what it holds. Answers the content's length. */
export async function writeImage(
  disk: WritableDisk,
  content: AsyncIterable<Uint8Array>,
  options: WriteImageOptions,
): Promise<bigint> {
  const there = Buffer.allocUnsafeSlow(pieceSize);
  let position = 0n;
  let writing: Promise<void> = Promise.resolve();
  try {
    for await (const piece of piecesOf(content)) {
      options.signal?.throwIfAborted();
      await writing;
      writing = put(piece, position);
      // Awaited a round later; until then a failure is not an unhandled one.
      writing.catch(() => undefined);
      position += BigInt(piece.length);
    }
  } finally {
    // The disk is closed next: no writing may be under way then.
    await writing.catch(() => undefined);
  }
  await writing;
  return position;

  async function put(piece: Buffer, at: bigint): Promise<void> {
    const before = options.isBlank ? zeros : await readWhole(disk, at, there.subarray(0, piece.length));
    let written = 0;
    for (const { start, end, isZero } of differences(piece, before)) {
      if (isZero) await disk.clear(at + BigInt(start), end - start);
      else {
        await options.rate?.take(end - start);
        await disk.write(at + BigInt(start), piece.subarray(start, end));
      }
      written += end - start;
    }
    options.passed(piece.length, written);
  }
}

/** The content in pieces of one size, each valid until the one after the next is asked for. */
async function* piecesOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const buffers = [Buffer.allocUnsafeSlow(pieceSize), Buffer.allocUnsafeSlow(pieceSize)] as const;
  let turn = 0;
  let filled = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length;) {
      const buffer = buffers[turn % 2 === 0 ? 0 : 1];
      const count = Math.min(chunk.length - at, pieceSize - filled);
      buffer.set(chunk.subarray(at, at + count), filled);
      at += count;
      filled += count;
      if (filled < pieceSize) continue;
      yield buffer;
      turn += 1;
      filled = 0;
    }
  }
  if (filled > 0) yield buffers[turn % 2 === 0 ? 0 : 1].subarray(0, filled);
}

async function readWhole(disk: WritableDisk, at: bigint, into: Buffer): Promise<Buffer> {
  for (let done = 0; done < into.length;) {
    const stretch = await disk.read(at + BigInt(done), into.subarray(done));
    const length = stretch.length === 0 ? into.length - done : stretch.length;
    if (stretch.zeros || stretch.length === 0) into.fill(0, done, done + length);
    done += length;
  }
  return into;
}

interface Difference {
  readonly start: number;
  readonly end: number;
  readonly isZero: boolean;
}

/** The stretches of whole blocks in which a piece differs from what is there, zeros apart from data. */
function* differences(piece: Buffer, before: Buffer): Generator<Difference> {
  let open: Difference | undefined;
  for (let start = 0; start < piece.length; start += blockSize) {
    const end = Math.min(start + blockSize, piece.length);
    if (piece.compare(before, start, end, start, end) === 0) {
      if (open) yield open;
      open = undefined;
      continue;
    }
    const isZero = piece.compare(zeros, 0, end - start, start, end) === 0;
    if (open?.isZero === isZero) open = { ...open, end };
    else {
      if (open) yield open;
      open = { start, end, isZero };
    }
  }
  if (open) yield open;
}
