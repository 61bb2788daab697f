import { blockSizes, longestBlock } from '../cut/block-sizes.ts';
import type { ByteRate } from '../limit/rate-limiter.ts';
import type { Holding } from '../map/content-ref.ts';
import { encodeContent, holdingsOf, INLINE_BLOCKS } from '../map/content-ref.ts';
import type { MapReader } from '../map/map-reader.ts';
import type { AppendPage } from '../map/map-writer.ts';
import type { ChangedContent, ContentReader } from '../port/backup-writer.ts';
import type { CutMethod } from '../port/entry.ts';
import { ContentBlocksBefore, FixedBefore, idsOf } from './blocks-before.ts';
import { ByteBudget } from './byte-budget.ts';
import type { ContentBefore } from './changed-content.ts';
import { applyChanges } from './changed-content.ts';
import type { PendingBlock, StoredResult } from './file-in-progress.ts';
import { FileInProgress } from './file-in-progress.ts';
import type { KnownBlock } from './known-blocks.ts';
import { OrderedQueue } from './ordered-queue.ts';
import { SegmentBuffers } from './segment-buffers.ts';
import { SegmentStore } from './segment-store.ts';
import type { SharedMemory } from './shared-memory.ts';
import { SmallPieces } from './small-pieces.ts';
import type { SmallFile } from './small-files.ts';
import { SmallFiles } from './small-files.ts';
import type { StreamSource } from './store-stream.ts';
import { storeStream } from './store-stream.ts';
import type { Stations } from './stations.ts';
import type { UnitPlaces } from './unit-places.ts';

/** Content of this size or less is stored together with that of others. */
const SMALL_BYTES = 256 * 1024;
/** Bytes of content that one task is about. */
export const SEGMENT_BYTES = 1024 * 1024;
/** Content that is being read, for which there are no buffers yet. */
const READING_BYTES = 16 * 1024 * 1024;
/** What a file that is read piece by piece counts for. */
const STREAM_BYTES = 2 * 1024 * 1024;
/**
 * What a file counts for that is compared with the one before: few at once, so that their scattered changes come to lie
 * together file by file. A restore after a long chain would else open the same units again for each of many files.
 */
const COMPARED_BYTES = Math.floor(READING_BYTES / 3);
/** What a small file counts for beside its bytes. */
const SMALL_OVERHEAD = 4096;
/** Leaves that may wait for their blocks before units are closed early. */
const MAX_WAITING = 1024;

export interface StorerParts {
  readonly stations: Stations;
  readonly places: UnitPlaces;
  readonly appendPage: AppendPage;
  readonly gear: Uint32Array;
  /** Blocks of earlier attempts of the run. */
  readonly leftovers: { find(key: string): Promise<KnownBlock | undefined> } | undefined;
  readonly signal: AbortSignal | undefined;
  /** How fast may be read. */
  readonly readRate: ByteRate | undefined;
  readonly memory: SharedMemory;
  /** Bytes of content that may be in memory. */
  readonly bufferBytes: number;
  readonly onBytes: (read: number, stored: number) => void;
}

/** Reads, cuts and compares the content of files, several side by side, and stores the blocks that are new. */
export class ContentStorer {
  readonly parts: StorerParts;
  readonly buffers: SegmentBuffers;
  readonly segments: SegmentStore;
  private readonly reading = new ByteBudget(READING_BYTES);
  private readonly pieces: SmallPieces;
  private readonly files: SmallFiles;
  private readonly pages = new OrderedQueue();
  /** Told when files that are not finished never will be. */
  private readonly unfinished = new Set<(reason: Error) => void>();
  private waitingForRoom = 0;
  private flushing: Promise<void> | undefined;
  private flushingNext: Promise<void> | undefined;
  private failure: Error | undefined;

  constructor(parts: StorerParts) {
    this.parts = parts;
    this.buffers = new SegmentBuffers(SEGMENT_BYTES, parts.bufferBytes, parts.memory);
    this.segments = new SegmentStore(parts.stations, this.buffers, parts.leftovers, (stored) =>
      parts.onBytes(0, stored),
    );
    this.files = new SmallFiles(parts.stations, this.buffers, SEGMENT_BYTES);
    this.pieces = new SmallPieces(this.buffers, this.segments, SEGMENT_BYTES);
  }

  throwIfFailed(): void {
    this.parts.signal?.throwIfAborted();
    if (this.failure !== undefined) throw this.failure;
    this.pages.throwIfFailed();
  }

  private file(
    cut: CutMethod,
    map: MapReader | undefined,
    likely: ConstructorParameters<typeof FileInProgress>[3],
  ): FileInProgress {
    const { places, appendPage } = this.parts;
    return new FileInProgress(
      { places, pages: this.pages, appendPage, unfinished: this.unfinished, room: () => this.room() },
      cut,
      map,
      likely,
    );
  }

  /** Waits while too many pages wait for their blocks; a page must not wait for ever in a unit that nothing fills. */
  private async room(): Promise<void> {
    this.throwIfFailed();
    if (this.pages.waiting <= MAX_WAITING) return;
    // Those that are there by now refer to units that this closes.
    const { tasks } = this.pages;
    await this.flush();
    await this.pages.untilEnded(tasks - MAX_WAITING / 2);
  }

  /**
   * Lets everything that has been read get its place, also if nothing more comes. While that is under way, all who ask
   * share the next time: thousands of files may wait at once.
   */
  flush(): Promise<void> {
    if (this.flushing === undefined) {
      this.flushing = this.parts.stations.flush().finally(() => (this.flushing = undefined));
      return this.flushing;
    }
    const again = () => {
      this.flushingNext = undefined;
      return this.flush();
    };
    this.flushingNext ??= this.flushing.then(again, again);
    return this.flushingNext;
  }

  /** Calls `flush` again and again while somebody waits for what is being stored. */
  async pressing<T>(waiting: Promise<T>): Promise<T> {
    this.waitingForRoom++;
    try {
      await this.flush();
      return await waiting;
    } finally {
      this.waitingForRoom--;
    }
  }

  async store(content: ContentReader, cut: CutMethod, map: MapReader | undefined): Promise<StoredResult> {
    this.throwIfFailed();
    const small = content.sizeHint <= BigInt(SMALL_BYTES) && longestBlock(cut) <= SMALL_BYTES;
    const large = map === undefined ? STREAM_BYTES : COMPARED_BYTES;
    const taken = await this.reading.take(small ? Number(content.sizeHint) + SMALL_OVERHEAD : large);
    try {
      return await this.storeNow(content, cut, map, small);
    } finally {
      this.given(taken);
    }
  }

  /** Stores content at once that is in memory and small, if nothing stands against it: the way of most files. */
  storeAtOnce(bytes: Uint8Array, cut: CutMethod): SmallFile | undefined {
    this.throwIfFailed();
    const { leftovers, readRate, onBytes } = this.parts;
    if (cut.kind !== 'fixed' || bytes.length > Math.min(SMALL_BYTES, cut.blockSize * INLINE_BLOCKS))
      return undefined;
    if (leftovers !== undefined || readRate !== undefined) return undefined;
    const taken = bytes.length + SMALL_OVERHEAD;
    if (!this.reading.takeIfFree(taken)) return undefined;
    onBytes(bytes.length, 0);
    return this.files.add(bytes, cut.blockSize, (bytesNew) => {
      onBytes(0, bytesNew);
      this.given(taken);
    });
  }

  /** The reference to a small file that is stored; when one of its units has no place yet, what waits for it. */
  contentOf(file: SmallFile): { encoded: Buffer; holdings: readonly Holding[] } | Promise<unknown> {
    const { places } = this.parts;
    const layout = file.layout(places);
    if (typeof layout === 'number') return places.of(layout);
    const { size, sha256, blockSize } = file;
    const cut = { kind: 'fixed', blockSize } as const;
    return {
      encoded: encodeContent({ size: BigInt(size), sha256, cut, layout }),
      holdings: holdingsOf(layout),
    };
  }

  private given(taken: number): void {
    this.reading.give(taken);
    if (this.waitingForRoom > 0) setImmediate(() => void this.flush().catch(() => undefined));
  }

  /** Counts what has been read, and waits as long as it should have taken. */
  async passed(bytes: number): Promise<void> {
    this.parts.onBytes(bytes, 0);
    await this.parts.readRate?.take(bytes);
  }

  private async storeNow(
    content: ContentReader,
    cut: CutMethod,
    map: MapReader | undefined,
    small: boolean,
  ): Promise<StoredResult> {
    const expected = Number(content.sizeHint);
    if (small && cut.kind === 'fixed') {
      const { head, rest } = await beginningOf(content, SMALL_BYTES);
      if (rest === undefined) return this.storeSmall(head, cut, map);
      return this.storeStream({ bytes: joined(head, rest), expected }, cut, map);
    }
    if (content.file !== undefined) return this.storeStream({ file: content.file }, cut, map);
    return this.storeStream({ bytes: content.open(), expected }, cut, map);
  }

  private async storeSmall(
    bytes: Uint8Array,
    cut: CutMethod,
    map: MapReader | undefined,
  ): Promise<StoredResult> {
    await this.passed(bytes.length);
    const sizes = blockSizes(bytes, cut, this.parts.gear, true);
    const before = map && new FixedBefore(map);
    const inPlace = await before?.blocks(0, sizes.length);
    const stored = await this.pieces.add(bytes, {
      ...{ sizes, zeros: true, hash: true },
      ...(inPlace === undefined ? {} : { before: idsOf(inPlace, sizes) }),
    });
    const file = this.file(cut, map, async (leaf) => before?.leaf(leaf));
    await file.add(file.pending(stored, inPlace));
    return file.end(stored.sha256);
  }

  private async storeStream(
    source: StreamSource,
    cut: CutMethod,
    map: MapReader | undefined,
  ): Promise<StoredResult> {
    const fixed = map !== undefined && cut.kind === 'fixed' ? new FixedBefore(map) : undefined;
    const shifted =
      map !== undefined && cut.kind === 'contentDefined' ? await ContentBlocksBefore.read(map) : undefined;
    const likely = async (number: number, first: PendingBlock) => {
      if (fixed === undefined) return first.zero ? undefined : shifted?.leafStartingWith(first.id);
      const leaf = await fixed.leaf(number);
      fixed.forgetUpTo(number + 1);
      return leaf;
    };
    for (let from = source; ;) {
      const file = this.file(cut, map, likely);
      const { sha256, instead } = await storeStream(this, from, cut, { file, fixed, shifted });
      if (instead === undefined) return file.end(sha256);
      from = { file: instead };
    }
  }

  /** Content that is given as changes to what the parent has. */
  async storeChanges(content: ChangedContent, before: ContentBefore): Promise<StoredResult> {
    const { cut } = before.content;
    const file = this.file(cut, before.map, async () => undefined);
    const taken = await this.reading.take(COMPARED_BYTES);
    try {
      const bytesRead = await applyChanges(content, before, {
        stored: async (blocks) => {
          this.throwIfFailed();
          return file.pending(await this.storeBlocks(blocks), undefined);
        },
        leaf: (blocks, known) => file.addWholeLeaf(blocks, known),
        leavesAsBefore: (refs) => file.addLeavesAsBefore(refs),
        without: (block) => file.without(block),
        begin: (holdings) => file.beginWith(holdings),
      });
      return await file.end(content.sha256, bytesRead);
    } finally {
      this.given(taken);
    }
  }

  private async storeBlocks(blocks: readonly Uint8Array[]) {
    const sizes = Uint32Array.from(blocks, (block) => block.length);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    await this.passed(bytes);
    if (bytes <= SMALL_BYTES)
      return this.pieces.add(Buffer.concat(blocks), { sizes, zeros: true, hash: false });
    const buffer = await this.buffers.take(bytes);
    let at = 0;
    for (const block of blocks) {
      new Uint8Array(buffer).set(block, at);
      at += block.length;
    }
    const [stored] = await this.segments.store(
      buffer,
      [{ offset: 0, sizes, zeros: true, hash: false }],
      undefined,
    );
    if (stored === undefined) throw new Error('a piece was stored and nothing came of it');
    return stored;
  }

  /** Resolves when what was stored at once is done, well or not. */
  settled(): Promise<void> {
    return this.files.settled();
  }

  /** Resolves when all pages are written. The packs must be whole by then. */
  async finish(): Promise<void> {
    this.buffers.end();
    await this.pages.drain();
  }

  /** Nothing more is stored; what waits gives up. */
  async abandon(reason: Error): Promise<void> {
    this.failure ??= reason;
    this.reading.fail(reason);
    this.buffers.fail(reason);
    this.parts.places.fail(reason);
    for (const giveUp of this.unfinished) giveUp(reason);
    await this.pages.settled();
  }
}

/** Content up to a limit, and what comes after it if it is longer. */
async function beginningOf(
  content: ContentReader,
  limit: number,
): Promise<{ head: Uint8Array; rest?: AsyncIterator<Uint8Array> }> {
  if (content.whole !== undefined && content.whole.length <= limit) return { head: content.whole };
  const chunks: Uint8Array[] = [];
  let length = 0;
  const rest = content.open()[Symbol.asyncIterator]();
  while (length <= limit) {
    const next = await rest.next();
    if (next.done === true)
      return { head: chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks) };
    chunks.push(Uint8Array.from(next.value));
    length += next.value.length;
  }
  return { head: Buffer.concat(chunks), rest };
}

async function* joined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
