import { BLOCK_ID_BYTES } from '../container/contents-table.ts';
import type { UnitPlace } from '../container/object-series-writer.ts';
import type { Block } from '../map/block.ts';
import type { Content, Holding } from '../map/content-ref.ts';
import { encodeContent, Holdings, holdingsOf, INLINE_BLOCKS } from '../map/content-ref.ts';
import type { PageRef } from '../map/index-page.ts';
import { encodeBlocks, LEAF_BLOCKS, MAX_LEAF_BLOCKS } from '../map/leaf-page.ts';
import type { MapReader } from '../map/map-reader.ts';
import type { AppendPage } from '../map/map-writer.ts';
import { MapWriter } from '../map/map-writer.ts';
import type { CutMethod } from '../port/entry.ts';
import type { LeafBefore } from './blocks-before.ts';
import type { OrderedQueue } from './ordered-queue.ts';
import type { LookedUp } from './segment-store.ts';
import { BLOCK_WORDS, KNOWN_BLOCK, ZERO_BLOCK } from './station/station-tasks.ts';
import type { UnitPlaces } from './unit-places.ts';

/** A block in a unit that may not have its place yet; it gets it when the page is written, and is a `Block` from then on. */
interface StoredBlock {
  readonly zero: false;
  readonly id: Uint8Array;
  readonly size: number;
  readonly start: number;
  readonly unitNumber: number;
  unit: UnitPlace | undefined;
}

export type PendingBlock = Block | StoredBlock;

export interface StoredResult {
  readonly size: number;
  /** Absent when nobody has seen all of the content. */
  readonly sha256?: Uint8Array;
  readonly bytesNew: number;
  /** Absent when all of the content was read. */
  readonly bytesRead?: number;
  /** Resolves when every block has its place and every page is written. */
  readonly reference: Promise<{ encoded: Buffer; holdings: readonly Holding[] }>;
}

export interface FileParts {
  readonly places: UnitPlaces;
  /** Writes pages, one after another. */
  readonly pages: OrderedQueue;
  readonly appendPage: AppendPage;
  /** Told when it will never be finished. */
  readonly unfinished: Set<(reason: Error) => void>;
  /** Waits while too many pages wait for their blocks. */
  readonly room: () => Promise<void>;
}

/** Whether a new leaf consists of the very blocks of an old one. */
function sameLeaf(blocks: readonly PendingBlock[], { blocks: before }: LeafBefore): boolean {
  return (
    blocks.length === before.length &&
    blocks.every((block, i) => {
      const other = before[i];
      return block === other || (block.zero && other?.zero === true && block.size === other.size);
    })
  );
}

/** The map of one file while its blocks are being stored. */
export class FileInProgress {
  private readonly parts: FileParts;
  private readonly cut: CutMethod;
  /** The leaf of the parent that a leaf may be the same as. */
  private readonly likely: (number: number, first: PendingBlock) => Promise<LeafBefore | undefined>;
  private readonly maps: MapWriter;
  private readonly holdings = new Holdings();
  private blocks: PendingBlock[] = [];
  private leaves = 0;
  private size = 0;
  private bytesNew = 0;

  constructor(
    parts: FileParts,
    cut: CutMethod,
    map: MapReader | undefined,
    likely: (number: number, first: PendingBlock) => Promise<LeafBefore | undefined>,
  ) {
    this.parts = parts;
    this.cut = cut;
    this.likely = likely;
    this.maps = new MapWriter(parts.appendPage, map, (ref) => this.holdings.page(ref));
  }

  /** The blocks of a stored piece. @param inPlace what the parent has at their places */
  pending(stored: LookedUp, inPlace: readonly (Block | undefined)[] | undefined): PendingBlock[] {
    const { sizes, ids, blocks, found } = stored;
    this.bytesNew += stored.bytesNew;
    const pending: PendingBlock[] = [];
    for (let i = 0; i < sizes.length; i++) {
      const size = sizes[i] as number;
      const unitNumber = blocks[i * BLOCK_WORDS] as number;
      const elsewhere = unitNumber === KNOWN_BLOCK ? found?.[i] : undefined;
      if (unitNumber === ZERO_BLOCK) pending.push({ zero: true, size });
      // A block of the parent is taken as it is, so that a leaf of such blocks is known to be the same.
      else if (elsewhere !== undefined && 'zero' in elsewhere) pending.push(elsewhere as Block);
      else if (unitNumber === KNOWN_BLOCK && elsewhere === undefined) pending.push(inPlace?.[i] as Block);
      else {
        const id = ids.subarray(i * BLOCK_ID_BYTES, (i + 1) * BLOCK_ID_BYTES);
        const start = blocks[i * BLOCK_WORDS + 1] as number;
        if (elsewhere !== undefined) pending.push({ zero: false, id, ...elsewhere });
        else pending.push({ zero: false, id, size, start, unitNumber, unit: undefined });
      }
    }
    return pending;
  }

  async add(blocks: readonly PendingBlock[]): Promise<void> {
    for (const block of blocks) {
      this.blocks.push(block);
      this.size += block.size;
      const full =
        this.cut.kind === 'fixed'
          ? this.blocks.length === LEAF_BLOCKS
          : this.blocks.length === MAX_LEAF_BLOCKS || (!block.zero && ((block.id[0] ?? 0) & 0x3f) === 0);
      if (full) await this.closeLeaf();
    }
  }

  private async closeLeaf(): Promise<void> {
    const { blocks } = this;
    const [first] = blocks;
    if (first === undefined) return;
    this.blocks = [];
    const before = await this.likely(this.leaves++, first);
    await this.addLeaf(blocks, before);
  }

  private async addLeaf(blocks: readonly PendingBlock[], before: LeafBefore | undefined): Promise<void> {
    const { pages, room } = this.parts;
    await room();
    const ref = before?.ref;
    if (before !== undefined && ref !== undefined && sameLeaf(blocks, before)) {
      for (const block of before.blocks) this.holdings.block(block);
      pages.push(() => this.maps.add(ref));
    } else pages.push(() => this.writeLeaf(blocks));
  }

  /** The file is made from another one that needs this. */
  beginWith(holdings: readonly Holding[]): void {
    this.holdings.takeOver(holdings);
  }

  without(block: Block): void {
    this.holdings.without(block);
  }

  /** All blocks of a leaf, or of the whole file if it is small. */
  async addWholeLeaf(blocks: readonly PendingBlock[], before: LeafBefore | undefined): Promise<void> {
    for (const block of blocks) this.size += block.size;
    if (this.leaves === 0 && blocks.length <= INLINE_BLOCKS) {
      this.blocks = [...blocks];
      return;
    }
    this.leaves++;
    await this.addLeaf(blocks, before);
  }

  async addLeavesAsBefore(refs: readonly PageRef[]): Promise<void> {
    for (const ref of refs) this.size += ref.bytes;
    this.leaves += refs.length;
    await this.parts.room();
    this.parts.pages.push(async () => {
      for (const ref of refs) await this.maps.add(ref);
    });
  }

  /** Gives the blocks their places, as soon as they have them. */
  private async settled(pending: readonly PendingBlock[]): Promise<readonly Block[]> {
    const { places } = this.parts;
    for (const block of pending)
      if ('unitNumber' in block)
        block.unit ??= places.find(block.unitNumber) ?? (await places.of(block.unitNumber));
    return pending as readonly Block[];
  }

  private async writeLeaf(pending: readonly PendingBlock[]): Promise<void> {
    const blocks = await this.settled(pending);
    for (const block of blocks) this.holdings.block(block);
    const place = await this.parts.appendPage(encodeBlocks(blocks, this.cut));
    return this.maps.add({ place, bytes: blocks.reduce((sum, block) => sum + block.size, 0) });
  }

  /** Puts the last leaf, or an inline map, on its way. */
  async end(sha256: Uint8Array | undefined, bytesRead?: number): Promise<StoredResult> {
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<StoredResult['reference']>>();
    const { unfinished } = this.parts;
    unfinished.add(reject);
    promise.catch(() => undefined).finally(() => unfinished.delete(reject)); // whoever refers to it gets the failure
    const small = this.leaves === 0 && this.blocks.length <= INLINE_BLOCKS;
    const inline = small ? this.blocks : [];
    if (!small) await this.closeLeaf();
    const about = { size: BigInt(this.size), ...(sha256 && { sha256 }), cut: this.cut };
    const layout = async (): Promise<Content['layout']> => {
      if (small) return { kind: 'inline', blocks: await this.settled(inline) };
      const { level, root } = await this.maps.finish();
      return { kind: 'tree', level, root, holdings: this.holdings.list() };
    };
    const finish = async () => {
      try {
        const done = await layout();
        resolve({ encoded: encodeContent({ ...about, layout: done }), holdings: holdingsOf(done) });
      } catch (error) {
        reject(error);
        throw error;
      }
    };
    // What is kept in the entry has no pages, and need not wait for those of others.
    if (small) finish().catch(() => undefined);
    else this.parts.pages.push(finish);
    const { size, bytesNew } = this;
    return {
      ...{ size, bytesNew, reference: promise },
      ...(sha256 && { sha256 }),
      ...(bytesRead === undefined ? {} : { bytesRead }),
    };
  }
}
