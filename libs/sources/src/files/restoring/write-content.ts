import * as fs from 'node:fs';

const block = 4096;
const zeros = Buffer.alloc(block);
/** Written with one call, if so much lies together. */
const writeSize = 1024 * 1024;
/** The system takes no more pieces in one call. */
const mostPieces = 1024;
/** Bigger writes wait on another thread: a slow disk must not stop everything else in the process. */
const mostAtOnce = 128 * 1024;

/**
 * Writes content to an empty file and leaves holes where it is zeros. Answers how many bytes it was.
 */
export async function writeContent(
  file: number,
  content: AsyncIterable<Uint8Array>,
  options: { signal?: AbortSignal | undefined; written?: (bytes: number) => void },
): Promise<bigint> {
  const writer = new GatheringWriter(file);
  let position = 0;
  try {
    for await (const chunk of content) {
      options.signal?.throwIfAborted();
      for (const [start, end] of dataIn(chunk, position)) {
        const full = writer.add(chunk.subarray(start, end), position + start);
        if (full) await full;
      }
      position += chunk.length;
      options.written?.(chunk.length);
    }
    await writer.flush();
  } finally {
    // The caller closes the file next.
    await writer.settle();
  }
  if (writer.dataEnd < position) fs.ftruncateSync(file, position);
  return BigInt(position);
}

/** The stretches of a chunk that are not whole blocks of zeros, by blocks of the file. */
function* dataIn(chunk: Uint8Array, position: number): Generator<[start: number, end: number]> {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  let start = 0;
  for (let at = (block - (position % block)) % block; at + block <= bytes.length; at += block) {
    if (bytes[at] !== 0 || bytes.compare(zeros, 0, block, at, at + block) !== 0) continue;
    if (at > start) yield [start, at];
    start = at + block;
  }
  if (start < bytes.length) yield [start, bytes.length];
}

/** Writes pieces that lie one after another with one call, while the next ones are being gathered. */
class GatheringWriter {
  readonly #file: number;
  #pieces: Uint8Array[] = [];
  #start = 0;
  #length = 0;
  #writing: Promise<void> | undefined;

  constructor(file: number) {
    this.#file = file;
  }

  /** Where the data ends that it was given. */
  get dataEnd(): number {
    return this.#start + this.#length;
  }

  /** Takes a piece, which must not change any more. Something to wait for when enough has been gathered. */
  add(piece: Uint8Array, position: number): Promise<void> | undefined {
    const isFull = this.#length >= writeSize || this.#pieces.length >= mostPieces;
    const flushed = isFull || position !== this.dataEnd ? this.flush() : undefined;
    if (this.#pieces.length === 0) this.#start = position;
    this.#pieces.push(piece);
    this.#length += piece.length;
    return flushed;
  }

  /** Resolves when what was gathered is on its way, and what was before it is written. */
  async flush(): Promise<void> {
    const [pieces, start, length] = [this.#pieces, this.#start, this.#length];
    this.#pieces = [];
    this.#start += length;
    this.#length = 0;
    if (length === 0) return;
    if (length <= mostAtOnce) {
      for (const [rest, at] of leftOf(pieces, start))
        at.written = fs.writevSync(this.#file, rest, at.position);
      return;
    }
    await this.#writing;
    this.#writing = writeOnThread(this.#file, pieces, start);
    this.#writing.catch(() => undefined); // thrown to whoever waits for it next
  }

  /** Resolves when nothing is being written any more. */
  async settle(): Promise<void> {
    await this.#writing;
  }
}

/** What is still to be written of some pieces, until the caller has said of all that it was. */
function* leftOf(
  pieces: readonly Uint8Array[],
  start: number,
): Generator<[rest: readonly Uint8Array[], at: { readonly position: number; written: number }]> {
  let rest = pieces;
  for (let position = start; rest.length > 0;) {
    const at = { position, written: 0 };
    yield [rest, at];
    position += at.written;
    rest = without(rest, at.written);
  }
}

function without(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  const next = pieces.findIndex((piece) => {
    if (piece.length > left) return true;
    left -= piece.length;
    return false;
  });
  const [cut, ...more] = next === -1 ? [] : pieces.slice(next);
  return cut === undefined ? [] : [cut.subarray(left), ...more];
}

async function writeOnThread(file: number, pieces: readonly Uint8Array[], start: number): Promise<void> {
  for (const [rest, at] of leftOf(pieces, start)) at.written = await writev(file, rest, at.position);
}

function writev(file: number, pieces: readonly Uint8Array[], position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.writev(file, pieces, position, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}
