import { longestBlock } from '../cut/block-sizes.ts';
import type { OpenContent } from '../port/backup-writer.ts';
import type { CutMethod } from '../port/entry.ts';
import { LEAF_BLOCKS } from '../map/leaf-page.ts';
import type { ContentBlocksBefore, FixedBefore } from './blocks-before.ts';
import { idsOf } from './blocks-before.ts';
import type { ContentStorer } from './content-storer.ts';
import type { FileInProgress, PendingBlock } from './file-in-progress.ts';
import type { ReadOutput } from './station/station-tasks.ts';
import type { Lane } from './stations.ts';

/** Bytes of content that one task is about. */
const SEGMENT_BYTES = 1024 * 1024;
/** Segments of one file that may be stored while the next ones are read. */
const AHEAD = 8;

export type StreamSource =
  /** `expected`: how many bytes, as far as that is known. */
  { readonly bytes: AsyncIterable<Uint8Array>; readonly expected: number } | { readonly file: OpenContent };

export interface StreamEnd {
  readonly sha256: Uint8Array;
  /** What is to be read instead. */
  readonly instead?: OpenContent;
}

interface Target {
  readonly file: FileInProgress;
  readonly fixed: FixedBefore | undefined;
  readonly shifted: ContentBlocksBefore | undefined;
}

/**
 * Stores content that is too large for one task: segment by segment is read and hashed on one thread and stored on any.
 */
export async function storeStream(
  storer: ContentStorer,
  source: StreamSource,
  cut: CutMethod,
  target: Target,
): Promise<StreamEnd> {
  const stream = new Stream(storer, source, cut, target);
  try {
    return await stream.run();
  } catch (error) {
    await stream.giveUp();
    throw error;
  }
}

/** Bytes of a segment: whole leaves of fixed blocks, or room for blocks of any size. */
function segmentBytes(cut: CutMethod): number {
  if (cut.kind === 'contentDefined') return Math.max(SEGMENT_BYTES, longestBlock(cut) * 4);
  const leaf = cut.blockSize * LEAF_BLOCKS;
  if (leaf <= SEGMENT_BYTES) return Math.floor(SEGMENT_BYTES / leaf) * leaf;
  return Math.max(1, Math.floor(SEGMENT_BYTES / cut.blockSize)) * cut.blockSize;
}

/** Sizes of fixed blocks; the last one is what remains. */
function sizesOf(length: number, blockSize: number): Uint32Array {
  const count = Math.ceil(length / blockSize);
  const sizes = new Uint32Array(count).fill(blockSize);
  if (length % blockSize !== 0) sizes[count - 1] = length % blockSize;
  return sizes;
}

class Stream {
  private readonly storer: ContentStorer;
  private readonly source: StreamSource;
  private readonly cut: CutMethod;
  private readonly target: Target;
  private readonly lane: Lane;
  private readonly segment: number;
  private position = 0;
  private instead: OpenContent | undefined;
  private blocks = 0;
  /** Segments on their way, in the file's order: each resolves to its blocks. */
  private readonly storing: Promise<PendingBlock[]>[] = [];
  private readonly chunks: AsyncIterator<Uint8Array> | undefined;
  private chunk: Uint8Array = new Uint8Array();

  constructor(storer: ContentStorer, source: StreamSource, cut: CutMethod, target: Target) {
    this.storer = storer;
    this.source = source;
    this.cut = cut;
    this.target = target;
    this.segment = segmentBytes(cut);
    const expected = 'file' in source ? Number(source.file.size) : Math.max(source.expected, SEGMENT_BYTES);
    this.lane = storer.parts.stations.lane(expected);
    this.chunks = 'bytes' in source ? source.bytes[Symbol.asyncIterator]() : undefined;
  }

  run(): Promise<StreamEnd> {
    return this.chunks !== undefined && this.cut.kind === 'fixed'
      ? this.runAhead(this.cut.blockSize)
      : this.runInTurn();
  }

  /**
   * Where blocks end is known before the content is, so the next segment is filled while one is being hashed. Each but the
   * last consists of whole blocks, and nothing is carried over.
   */
  private async runAhead(blockSize: number): Promise<StreamEnd> {
    for (;;) {
      this.storer.throwIfFailed();
      const buffer = await this.storer.buffers.take(this.segment);
      const { filled, ended } = await this.orGiveBack(
        buffer,
        this.fill(new Uint8Array(buffer, 0, this.segment)),
      );
      const hashing = this.storer.parts.stations.read(this.lane, {
        ...{ buffer, carried: 0, filled, last: ended },
      });
      this.push(this.storeHashed(buffer, hashing, sizesOf(filled, blockSize)));
      await this.storer.passed(filled);
      await this.takeOver(ended);
      const { sha256 } = ended ? await hashing : {};
      if (sha256 !== undefined) return { sha256 };
    }
  }

  private async storeHashed(
    buffer: SharedArrayBuffer,
    hashing: Promise<unknown>,
    sizes: Uint32Array,
  ): Promise<PendingBlock[]> {
    const first = this.blocks;
    this.blocks += sizes.length;
    await this.orGiveBack(buffer, hashing);
    if (sizes.length > 0) return this.storeAt(buffer, sizes, first);
    this.storer.buffers.give(buffer);
    return [];
  }

  /** What `work` resolves to; when it fails the buffer is given back. */
  private async orGiveBack<T>(buffer: SharedArrayBuffer, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.storer.buffers.give(buffer);
      throw error;
    }
  }

  private push(storing: Promise<PendingBlock[]>): void {
    storing.catch(() => undefined); // thrown when its turn comes
    this.storing.push(storing);
  }

  /** Takes the blocks of the first segments over, until so few are on their way that the next one may be read. */
  private async takeOver(ended: boolean): Promise<void> {
    while (this.storing.length > (ended ? 0 : AHEAD)) {
      const blocks = await this.storing[0];
      void this.storing.shift();
      await this.target.file.add(blocks ?? []);
    }
  }

  private async runInTurn(): Promise<StreamEnd> {
    let carried: Uint8Array = new Uint8Array();
    for (;;) {
      this.storer.throwIfFailed();
      const buffer = await this.storer.buffers.take(this.segment);
      const read = await this.read(buffer, carried);
      const { sizes, length, rest } = this.cutUp(buffer, read, carried.length);
      carried = rest;
      if (length > 0) this.store(buffer, sizes);
      else this.storer.buffers.give(buffer);
      await this.takeOver(read.ended);
      const { sha256 } = read;
      if (sha256 !== undefined)
        return this.instead === undefined ? { sha256 } : { sha256, instead: this.instead };
    }
  }

  /** Gives the buffer back when it fails. */
  private async read(buffer: SharedArrayBuffer, carried: Uint8Array): Promise<ReadOutput> {
    const { stations } = this.storer.parts;
    const begun = { buffer, carried: carried.length, ...this.cutOnLane() };
    let output: ReadOutput;
    try {
      new Uint8Array(buffer).set(carried);
      if ('file' in this.source) {
        const { descriptor, size, failed } = this.source.file;
        const length = Math.min(this.segment - carried.length, Number(size) - this.position);
        const from = { descriptor, position: this.position, length };
        const last = this.position + length >= Number(size);
        output = await stations
          .read(this.lane, { ...begun, filled: 0, from, last })
          .catch((error: unknown) => {
            throw failed(error);
          });
      } else {
        const { filled, ended } = await this.fill(
          new Uint8Array(buffer, carried.length, this.segment - carried.length),
        );
        output = await stations.read(this.lane, { ...begun, filled, last: ended });
      }
    } catch (error) {
      this.storer.buffers.give(buffer);
      throw error;
    }
    this.position += output.read;
    if ('file' in this.source) this.source.file.onRead(output.read);
    if (output.ended && 'file' in this.source) this.instead = this.source.file.done();
    await this.orGiveBack(buffer, this.storer.passed(output.read));
    return output;
  }

  private cutOnLane(): { cut?: { averageSize: number; gear: Uint32Array } } {
    const { cut } = this;
    if (cut.kind === 'fixed') return {};
    return { cut: { averageSize: cut.averageSize, gear: this.storer.parts.gear } };
  }

  /** Copies chunks until the memory is full or there are no more. */
  private async fill(memory: Uint8Array): Promise<{ filled: number; ended: boolean }> {
    let filled = 0;
    while (filled < memory.length) {
      if (this.chunk.length === 0) {
        const next = await this.chunks?.next();
        if (next === undefined || next.done === true) return { filled, ended: true };
        this.chunk = next.value;
      }
      const piece = this.chunk.subarray(0, memory.length - filled);
      memory.set(piece, filled);
      filled += piece.length;
      this.chunk = this.chunk.subarray(piece.length);
    }
    return { filled, ended: false };
  }

  /** The sizes of the whole blocks, and a copy of what comes after them. */
  private cutUp(
    buffer: SharedArrayBuffer,
    read: ReadOutput,
    carried: number,
  ): { sizes: Uint32Array; length: number; rest: Uint8Array } {
    const bytes = new Uint8Array(buffer, 0, carried + read.read);
    const { cut } = this;
    if (cut.kind === 'contentDefined') {
      const sizes = read.sizes ?? new Uint32Array();
      const length = sizes.reduce((sum, size) => sum + size, 0);
      return { sizes, length, rest: bytes.slice(length) };
    }
    const whole = read.ended ? bytes.length : bytes.length - (bytes.length % cut.blockSize);
    return { sizes: sizesOf(whole, cut.blockSize), length: whole, rest: bytes.slice(whole) };
  }

  private store(buffer: SharedArrayBuffer, sizes: Uint32Array): void {
    const first = this.blocks;
    this.blocks += sizes.length;
    this.push(this.storeAt(buffer, sizes, first));
  }

  private async storeAt(
    buffer: SharedArrayBuffer,
    sizes: Uint32Array,
    first: number,
  ): Promise<PendingBlock[]> {
    const { fixed, shifted, file } = this.target;
    const inPlace = fixed && (await this.orGiveBack(buffer, fixed.blocks(first, sizes.length)));
    const piece = {
      ...{ offset: 0, sizes, zeros: this.cut.kind === 'fixed', hash: false },
      ...(inPlace === undefined ? {} : { before: idsOf(inPlace, sizes) }),
    };
    const find = shifted && ((key: string) => shifted.find(key));
    const [stored] = await this.storer.segments.store(buffer, [piece], find);
    return stored === undefined ? [] : file.pending(stored, inPlace);
  }

  /** Ends what has been begun. */
  async giveUp(): Promise<void> {
    await Promise.allSettled(this.storing);
    await this.chunks?.return?.().catch(() => undefined);
    await this.storer.parts.stations.forget(this.lane).catch(() => undefined);
  }
}
