import { paddingAfter, readTarHeader, TAR_BLOCK, type TarEntry } from './tar-header.ts';

/** The next bytes of an archive; undefined at its end. */
export type NextBytes = () => Promise<Buffer | undefined>;

/**
 * Reads one tar archive entry by entry, as fast as the content is taken and no faster. Pieces of any size come in, each
 * valid until the next is asked for; content that goes out piece by piece are parts of those.
 */
export class TarReader {
  readonly #next: NextBytes;
  #piece: Buffer = Buffer.alloc(0);
  #contentLeft = 0;
  #padding = 0;

  constructor(next: NextBytes) {
    this.#next = next;
  }

  /** The next entry; what is left of the content of the one before is passed over. Undefined at the archive's end. */
  async entry(): Promise<TarEntry | undefined> {
    await this.#pass(this.#contentLeft + this.#padding);
    this.#contentLeft = 0;
    this.#padding = 0;
    const block = await this.#header();
    const entry = block && readTarHeader(block);
    if (entry === undefined) {
      await this.#drain();
      return undefined;
    }
    if (entry.kind === 'file') {
      this.#contentLeft = entry.size;
      this.#padding = paddingAfter(entry.size);
    }
    return entry;
  }

  /** The content of the entry given last. */
  async *content(): AsyncGenerator<Buffer, void, void> {
    while (this.#contentLeft > 0) {
      const piece = await this.#some();
      const taken = piece.length <= this.#contentLeft ? piece : piece.subarray(0, this.#contentLeft);
      this.#piece = piece.subarray(taken.length);
      this.#contentLeft -= taken.length;
      yield taken;
    }
  }

  /** Exactly that much of the content of the entry given last, for the taker to keep. */
  async take(length: number): Promise<Buffer> {
    if (length > this.#contentLeft) throw cutShort();
    const bytes = Buffer.allocUnsafe(length);
    await this.#fill(bytes);
    this.#contentLeft -= length;
    return bytes;
  }

  /** A header, valid until more is read; undefined when there is nothing any more. */
  async #header(): Promise<Buffer | undefined> {
    if (this.#piece.length === 0) {
      const piece = await this.#next();
      if (piece === undefined) return undefined;
      this.#piece = piece;
    }
    const block = this.#piece.subarray(0, TAR_BLOCK);
    this.#piece = this.#piece.subarray(block.length);
    if (block.length === TAR_BLOCK) return block;
    const whole = Buffer.alloc(TAR_BLOCK);
    block.copy(whole);
    await this.#fill(whole.subarray(block.length));
    return whole;
  }

  async #fill(bytes: Buffer): Promise<void> {
    for (let filled = 0; filled < bytes.length;) {
      const piece = await this.#some();
      const part = piece.subarray(0, bytes.length - filled);
      this.#piece = piece.subarray(part.length);
      part.copy(bytes, filled);
      filled += part.length;
    }
  }

  async #some(): Promise<Buffer> {
    while (this.#piece.length === 0) {
      const piece = await this.#next();
      if (piece === undefined) throw cutShort();
      this.#piece = piece;
    }
    return this.#piece;
  }

  async #pass(length: number): Promise<void> {
    for (let left = length; left > 0;) {
      const piece = await this.#some();
      const passed = Math.min(piece.length, left);
      this.#piece = piece.subarray(passed);
      left -= passed;
    }
  }

  async #drain(): Promise<void> {
    this.#piece = Buffer.alloc(0);
    while ((await this.#next()) !== undefined);
  }
}

function cutShort(): Error {
  return new Error('an archive of the base backup ends in the middle of an entry');
}
