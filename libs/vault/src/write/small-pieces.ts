import type { SegmentBuffers } from './segment-buffers.ts';
import type { Piece } from './station/station-tasks.ts';
import type { LookedUp, SegmentStore } from './segment-store.ts';

/** Where the content of a file begins in a buffer: what is aligned is copied and compared faster. */
const ALIGNMENT = 64;

interface OpenBatch {
  readonly buffer: SharedArrayBuffer;
  length: number;
  readonly pieces: Piece[];
  readonly done: PromiseWithResolvers<LookedUp>[];
}

/**
 * Puts small content together that `SmallFiles` does not take: what is compared with the parent's, read under a limit, cut by
 * content, or given as changes. What has come by the end of a turn of the event loop goes as one task.
 */
export class SmallPieces {
  private readonly buffers: SegmentBuffers;
  private readonly segments: SegmentStore;
  private readonly size: number;
  private open: OpenBatch | undefined;
  private opening: Promise<void> | undefined;

  constructor(buffers: SegmentBuffers, segments: SegmentStore, size: number) {
    this.buffers = buffers;
    this.segments = segments;
    this.size = size;
  }

  /** Stores a piece; copies it before anything else happens to it if there is room. */
  async add(bytes: Uint8Array, piece: Omit<Piece, 'offset'>): Promise<LookedUp> {
    while (this.open === undefined || this.open.length + bytes.length > this.size) {
      this.post();
      this.opening ??= this.begin();
      await this.opening;
    }
    const batch = this.open;
    new Uint8Array(batch.buffer).set(bytes, batch.length);
    const done = Promise.withResolvers<LookedUp>();
    batch.pieces.push({ ...piece, offset: batch.length });
    batch.done.push(done);
    batch.length += Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT;
    return done.promise;
  }

  private async begin(): Promise<void> {
    try {
      this.open = { buffer: await this.buffers.take(), length: 0, pieces: [], done: [] };
      setImmediate(() => this.post());
    } finally {
      this.opening = undefined;
    }
  }

  private post(): void {
    const batch = this.open;
    if (batch === undefined) return;
    this.open = undefined;
    void this.store(batch);
  }

  private async store({ buffer, pieces, done }: OpenBatch): Promise<void> {
    try {
      const stored = await this.segments.store(buffer, pieces, undefined);
      done.forEach(({ resolve }, i) => resolve(stored[i] as LookedUp));
    } catch (error) {
      done.forEach(({ reject }) => reject(error));
    }
  }
}
