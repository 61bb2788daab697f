import type { KeyObject } from 'node:crypto';
import { createHash, createHmac } from 'node:crypto';
import { BLOCK_ID_BYTES } from '../container/contents-table.ts';
import type { UnitPlace } from '../container/object-series-writer.ts';
import { cutterFor } from '../cut/cutter.ts';
import type { Block, PlacedBlock } from '../map/block.ts';
import type { Content, Holding } from '../map/content-ref.ts';
import { encodeContent, Holdings, holdingsOf, INLINE_BLOCKS } from '../map/content-ref.ts';
import type { PageRef } from '../map/index-page.ts';
import { encodeBlocks, LEAF_BLOCKS, MAX_LEAF_BLOCKS, samePlace } from '../map/leaf-page.ts';
import type { MapReader } from '../map/map-reader.ts';
import type { AppendPage } from '../map/map-writer.ts';
import { MapWriter } from '../map/map-writer.ts';
import type { ChangedContent } from '../port/backup-writer.ts';
import type { CutMethod } from '../port/entry.ts';
import type { ContentBefore } from './changed-content.ts';
import { applyChanges } from './changed-content.ts';
import type { KnownBlock } from './known-blocks.ts';
import { idKey, RecentBlocks } from './known-blocks.ts';
import type { OrderedQueue } from './ordered-queue.ts';
import type { UnitPacker } from './unit-packer.ts';

/** A block whose unit may not have its place yet. */
type PendingBlock =
  | { readonly zero: true; readonly size: number }
  | ({ readonly zero: false; readonly id: Uint8Array } & KnownBlock);

/** The leaf of the previous map that a new leaf may turn out to be the same as. */
interface LeafBefore {
  readonly ref?: PageRef;
  readonly blocks: readonly Block[];
}

export interface StorerParts {
  readonly packer: UnitPacker;
  readonly queue: OrderedQueue;
  readonly appendPage: AppendPage;
  readonly identityKey: KeyObject;
  readonly gear: Uint32Array;
  /** Blocks of earlier attempts of the run. */
  readonly leftovers: { find(key: string): Promise<KnownBlock | undefined> } | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onBytes: (read: number, stored: number) => void;
}

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

const ZEROS = Buffer.alloc(1024 * 1024);
const RECENT_BLOCKS = 100_000;

/** Leaves that may wait for their blocks before the packer is told to close a unit early. */
const MAX_WAITING = 1024;

async function placeOf(unit: KnownBlock['unit']): Promise<UnitPlace> {
  return 'placed' in unit ? unit.placed : unit;
}

async function settle(block: PendingBlock): Promise<Block> {
  if (block.zero) return block;
  const { id, size, start } = block;
  return { zero: false, id, size, start, unit: await placeOf(block.unit) };
}

function sameBlocks(a: readonly Block[], b: readonly Block[]): boolean {
  const same = (left: Block, right: Block) => {
    if (left.zero || right.zero) return left.zero === right.zero && left.size === right.size;
    return (
      left.size === right.size &&
      left.start === right.start &&
      samePlace(left.unit, right.unit) &&
      Buffer.compare(left.id, right.id) === 0
    );
  };
  return (
    a.length === b.length &&
    a.every((block, i) => {
      const other = b[i];
      return other !== undefined && same(block, other);
    })
  );
}

/** Cuts, hashes and compares the content of files, one after another, and stores the blocks that are new. */
export class ContentStorer {
  private readonly parts: StorerParts;
  private readonly recent = new RecentBlocks(RECENT_BLOCKS);

  constructor(parts: StorerParts) {
    this.parts = parts;
  }

  private blockId(block: Uint8Array): Buffer {
    return createHmac('sha256', this.parts.identityKey).update(block).digest().subarray(0, BLOCK_ID_BYTES);
  }

  async store(
    source: AsyncIterable<Uint8Array>,
    cut: CutMethod,
    before: MapReader | undefined,
  ): Promise<StoredResult> {
    const file = new FileInProgress(this.parts, cut, before, (id, block) => this.place(id, block));
    const hash = createHash('sha256');
    const cutter = cutterFor(cut, this.parts.gear);
    if (cut.kind === 'contentDefined') await file.learnBefore();
    for await (const chunk of source) {
      this.parts.signal?.throwIfAborted();
      hash.update(chunk);
      this.parts.onBytes(chunk.length, 0);
      for (const block of cutter.push(chunk)) await this.take(file, block, cut);
    }
    for (const block of cutter.end()) await this.take(file, block, cut);
    return file.end(hash.digest());
  }

  /** Content that is given as changes to what the parent has. */
  async storeChanges(content: ChangedContent, before: ContentBefore): Promise<StoredResult> {
    const { cut } = before.content;
    const file = new FileInProgress(this.parts, cut, before.map, (id, block) => this.place(id, block));
    const bytesRead = await applyChanges(content, before, {
      stored: async (block) => {
        this.parts.signal?.throwIfAborted();
        this.parts.onBytes(block.length, 0);
        return file.storedBlock(this.blockId(block), block);
      },
      zeros: (size): PendingBlock => ({ zero: true, size }),
      leaf: (blocks, known) => file.addLeaf(blocks, known),
      leavesAsBefore: (refs) => file.addLeavesAsBefore(refs),
      without: (block) => file.without(block),
      begin: (holdings) => file.beginWith(holdings),
    });
    return { ...(await file.end(content.sha256)), bytesRead };
  }

  private async take(file: FileInProgress, block: Uint8Array, cut: CutMethod): Promise<void> {
    const zero = cut.kind === 'fixed' && ZEROS.subarray(0, block.length).equals(block);
    if (zero) await file.add({ zero: true, size: block.length });
    else await file.addBytes(this.blockId(block), block);
  }

  /** Finds a block among those stored lately or by an earlier attempt, or stores it. */
  private async place(id: Buffer, block: Uint8Array): Promise<{ known: KnownBlock; isNew: boolean }> {
    const key = idKey(id);
    const known = this.recent.find(key) ?? (await this.parts.leftovers?.find(key));
    if (known?.size === block.length) return { known, isNew: false };
    const { packer } = this.parts;
    await packer.room();
    const stored = { ...packer.add(id, block), size: block.length };
    this.recent.remember(key, stored);
    this.parts.onBytes(0, block.length);
    return { known: stored, isNew: true };
  }
}

/** One file between its first byte and its content reference. */
class FileInProgress {
  private readonly parts: StorerParts;
  private readonly cut: CutMethod;
  private readonly before: MapReader | undefined;
  private readonly place: (id: Buffer, block: Uint8Array) => Promise<{ known: KnownBlock; isNew: boolean }>;
  private readonly maps: MapWriter;
  private readonly holdings = new Holdings();
  private blocks: PendingBlock[] = [];
  private leafBefore: LeafBefore | undefined;
  private leaves = 0;
  private size = 0;
  private bytesNew = 0;
  /** For content-defined cutting: all blocks and leaves of the previous map. */
  private readonly blocksBefore = new Map<string, PlacedBlock>();
  private readonly leavesBefore = new Map<string, LeafBefore>();

  constructor(
    parts: StorerParts,
    cut: CutMethod,
    before: MapReader | undefined,
    place: (id: Buffer, block: Uint8Array) => Promise<{ known: KnownBlock; isNew: boolean }>,
  ) {
    this.parts = parts;
    this.cut = cut;
    this.before = before;
    this.place = place;
    this.maps = new MapWriter(parts.appendPage, before, (ref) => this.holdings.page(ref));
  }

  async learnBefore(): Promise<void> {
    if (this.before === undefined) return;
    for await (const leaf of this.before.leaves()) {
      for (const block of leaf.blocks) if (!block.zero) this.blocksBefore.set(idKey(block.id), block);
      const first = leaf.blocks[0];
      if (first !== undefined && !first.zero) this.leavesBefore.set(idKey(first.id), leaf);
    }
  }

  async addBytes(id: Buffer, bytes: Uint8Array): Promise<void> {
    const known = await this.knownBefore(id, bytes.length);
    return this.add(known ?? (await this.storedBlock(id, bytes)));
  }

  async storedBlock(id: Buffer, bytes: Uint8Array): Promise<PendingBlock> {
    const { known, isNew } = await this.place(id, bytes);
    if (isNew) this.bytesNew += bytes.length;
    return { zero: false, id, ...known };
  }

  /** The file is made from another one that needs this. */
  beginWith(holdings: readonly Holding[]): void {
    this.holdings.takeOver(holdings);
  }

  without(block: Block): void {
    this.holdings.without(block);
  }

  /** All blocks of a leaf, or of the whole file if it is small. */
  async addLeaf(blocks: readonly PendingBlock[], before: LeafBefore | undefined): Promise<void> {
    for (const block of blocks) this.size += block.size;
    if (this.leaves === 0 && blocks.length <= INLINE_BLOCKS) {
      this.blocks = [...blocks];
      this.leafBefore = before;
      return;
    }
    await this.room();
    this.leaves++;
    this.parts.queue.push(() => this.writeLeaf(blocks, before));
  }

  async addLeavesAsBefore(refs: readonly PageRef[]): Promise<void> {
    for (const ref of refs) this.size += ref.bytes;
    this.leaves += refs.length;
    await this.room();
    this.parts.queue.push(async () => {
      for (const ref of refs) await this.maps.add(ref);
    });
  }

  private async room(): Promise<void> {
    this.parts.signal?.throwIfAborted();
    if (this.parts.queue.waiting > MAX_WAITING) {
      this.parts.packer.flush();
      await this.parts.queue.drain();
    }
    this.parts.queue.throwIfFailed();
  }

  private async knownBefore(id: Buffer, size: number): Promise<PlacedBlock | undefined> {
    if (this.before === undefined) return undefined;
    if (this.cut.kind === 'contentDefined') return this.blocksBefore.get(idKey(id));
    if (this.blocks.length === 0) this.leafBefore = await this.readLeafBefore();
    const block = this.leafBefore?.blocks[this.blocks.length];
    if (block === undefined || block.zero || block.size !== size) return undefined;
    return id.equals(block.id) ? block : undefined;
  }

  private async readLeafBefore(): Promise<LeafBefore | undefined> {
    if (this.before?.isInline !== true) return this.before?.leaf(this.leaves);
    if (this.leaves > 0) return undefined;
    for await (const leaf of this.before.leaves()) return leaf;
    return undefined;
  }

  async add(block: PendingBlock): Promise<void> {
    if (this.blocks.length === 0 && this.cut.kind === 'fixed' && block.zero)
      this.leafBefore = await this.readLeafBefore();
    this.blocks.push(block);
    this.size += block.size;
    const full =
      this.cut.kind === 'fixed'
        ? this.blocks.length === LEAF_BLOCKS
        : this.blocks.length === MAX_LEAF_BLOCKS || (!block.zero && ((block.id[0] ?? 0) & 0x3f) === 0);
    if (full) await this.closeLeaf();
  }

  private async closeLeaf(): Promise<void> {
    const blocks = this.blocks;
    const before = this.cut.kind === 'fixed' ? this.leafBefore : this.leafStartingLike(blocks[0]);
    this.blocks = [];
    this.leafBefore = undefined;
    this.leaves++;
    await this.room();
    this.parts.queue.push(() => this.writeLeaf(blocks, before));
  }

  private leafStartingLike(first: PendingBlock | undefined): LeafBefore | undefined {
    return first === undefined || first.zero ? undefined : this.leavesBefore.get(idKey(first.id));
  }

  private async writeLeaf(pending: readonly PendingBlock[], before: LeafBefore | undefined): Promise<void> {
    const blocks = await Promise.all(pending.map(settle));
    for (const block of blocks) this.holdings.block(block);
    if (before?.ref !== undefined && sameBlocks(blocks, before.blocks)) return this.maps.add(before.ref);
    const place = await this.parts.appendPage(encodeBlocks(blocks, this.cut));
    return this.maps.add({ place, bytes: blocks.reduce((sum, block) => sum + block.size, 0) });
  }

  /** Puts the last leaf, or an inline map, on its way. */
  async end(sha256: Uint8Array | undefined): Promise<StoredResult> {
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<StoredResult['reference']>>();
    promise.catch(() => undefined); // the queue holds the failure as well
    const small = this.leaves === 0 && this.blocks.length <= INLINE_BLOCKS;
    const inline = small ? this.blocks : [];
    if (!small && this.blocks.length > 0) await this.closeLeaf();
    const about = { size: BigInt(this.size), ...(sha256 && { sha256 }), cut: this.cut };
    const finish = async (): Promise<Content['layout']> => {
      if (small) return { kind: 'inline', blocks: await Promise.all(inline.map(settle)) };
      const { level, root } = await this.maps.finish();
      return { kind: 'tree', level, root, holdings: this.holdings.list() };
    };
    this.parts.queue.push(async () => {
      try {
        const layout = await finish();
        resolve({ encoded: encodeContent({ ...about, layout }), holdings: holdingsOf(layout) });
      } catch (error) {
        reject(error);
        throw error;
      }
    });
    return { size: this.size, ...(sha256 && { sha256 }), bytesNew: this.bytesNew, reference: promise };
  }
}
