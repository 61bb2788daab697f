import type { ContentReader } from '../port/backup-writer.ts';

/** Files that are announced as no larger than this are read before their turn. */
const SMALL_BYTES = 1024 * 1024;
/** Bytes of small files that may be held at once. */
const BUDGET_BYTES = 16 * 1024 * 1024;

export interface AheadContent {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** To be called when the bytes have been used, or will not be. */
  readonly done: () => Promise<void>;
}

/** Reads small files while those before them are being stored: most of a small file's time is waiting for it. */
export class ReadAhead {
  private held = 0;
  private readonly waiting: { readonly bytes: number; readonly go: () => void }[] = [];

  async begin(content: ContentReader): Promise<AheadContent> {
    if (content.sizeHint > BigInt(SMALL_BYTES)) return { bytes: content.open(), done: async () => undefined };
    const reserved = Number(content.sizeHint) + 4096;
    await this.reserve(reserved);
    const source = new StartedSource(content.open());
    const done = async () => {
      this.release(reserved);
      await source.close();
    };
    try {
      await source.readFirst(SMALL_BYTES);
    } catch (error) {
      await done();
      throw error;
    }
    return { bytes: source.all(), done };
  }

  private fits(bytes: number): boolean {
    return this.held === 0 || this.held + bytes <= BUDGET_BYTES;
  }

  /** In the order of asking: whoever comes first is stored first, and so frees what the others wait for. */
  private async reserve(bytes: number): Promise<void> {
    if (this.waiting.length === 0 && this.fits(bytes)) {
      this.held += bytes;
      return;
    }
    await new Promise<void>((go) => this.waiting.push({ bytes, go }));
  }

  private release(bytes: number): void {
    this.held -= bytes;
    for (let next = this.waiting[0]; next !== undefined && this.fits(next.bytes); next = this.waiting[0]) {
      this.waiting.shift();
      this.held += next.bytes;
      next.go();
    }
  }
}

/** A source of which the beginning is held and the rest, if what was announced as small has grown, is still to come. */
class StartedSource {
  private readonly iterator: AsyncIterator<Uint8Array>;
  private readonly first: Uint8Array[] = [];
  private ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.iterator = source[Symbol.asyncIterator]();
  }

  private async next(): Promise<Uint8Array | undefined> {
    if (this.ended) return undefined;
    try {
      const next = await this.iterator.next();
      if (next.done !== true) return next.value;
    } catch (error) {
      this.ended = true;
      throw error;
    }
    this.ended = true;
    return undefined;
  }

  async readFirst(limit: number): Promise<void> {
    let length = 0;
    while (length <= limit) {
      const chunk = await this.next();
      if (chunk === undefined) return;
      this.first.push(Uint8Array.from(chunk));
      length += chunk.length;
    }
  }

  async *all(): AsyncIterable<Uint8Array> {
    yield* this.first;
    for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) yield chunk;
  }

  async close(): Promise<void> {
    if (!this.ended) await this.iterator.return?.();
    this.ended = true;
  }
}
