import { readableBytes } from '../codec/readable-bytes.ts';
import type { UnitPlace } from '../container/object-series-writer.ts';
import { DamagedObjectError } from '../error/damaged-object-error.ts';
import type { Block } from '../map/block.ts';
import type { Content, Holding, StoredContent } from '../map/content-ref.ts';
import { encodeContent, Holdings, holdingsOf } from '../map/content-ref.ts';
import { encodeBlocks } from '../map/leaf-page.ts';
import type { Leaf, MapReader } from '../map/map-reader.ts';
import { MapWriter } from '../map/map-writer.ts';
import type { CutMethod } from '../port/entry.ts';
import type { OrderedQueue } from '../write/ordered-queue.ts';
import type { BlockMover, MovedBlock } from './block-mover.ts';

/** Leaves and entries that may wait for their blocks before open units are closed early. */
const MAX_WAITING = 4096;

export interface MovedContent {
  /** The reference for the composed full; resolves when every block has its place and every page is written. */
  readonly encoded: Promise<Buffer>;
  readonly holdings: Promise<readonly Holding[]>;
}

async function settled(block: MovedBlock): Promise<Block> {
  if (block.zero) return block;
  const { id, size, place } = block;
  return { zero: false, id, size, ...(await place()) };
}

/** Gives a file's map of the closure another one over blocks of the composed full. Cut, sizes and hashes stay. */
export class ContentMover {
  private readonly from: string;
  private readonly blocks: BlockMover;
  private readonly queue: OrderedQueue;
  private readonly appendPage: (page: Buffer) => Promise<UnitPlace>;

  /** @param from id of the backup that is composed from, for what is damaged */
  constructor(
    from: string,
    blocks: BlockMover,
    queue: OrderedQueue,
    appendPage: (page: Buffer) => Promise<UnitPlace>,
  ) {
    this.from = from;
    this.blocks = blocks;
    this.queue = queue;
    this.appendPage = appendPage;
  }

  /** Waits while too much waits: an entry must not wait for ever in a unit that nothing fills. */
  async room(): Promise<void> {
    this.queue.throwIfFailed();
    if (this.queue.waiting < MAX_WAITING) return;
    await this.blocks.flush();
    await this.queue.drain();
  }

  async move(content: StoredContent, map: MapReader, path: Uint8Array): Promise<MovedContent> {
    const holdings = new Holdings();
    const maps = new MapWriter(this.appendPage, undefined, (ref) => holdings.page(ref));
    const inline: MovedBlock[] = [];
    for await (const leaf of this.leavesOf(map, path)) {
      const moved: MovedBlock[] = [];
      for (const block of leaf.blocks) moved.push(await this.blocks.take(block, path));
      if (map.isInline) inline.push(...moved);
      else this.queue.push(() => this.writeLeaf(moved, content.cut, maps, holdings));
      await this.room();
    }
    const { promise, resolve, reject } = Promise.withResolvers<{ layout: Content['layout'] }>();
    promise.catch(() => undefined); // the queue holds the failure as well
    this.queue.push(async () => {
      try {
        resolve({ layout: map.isInline ? await inlineOf(inline) : await treeOf(maps, holdings) });
      } catch (error) {
        reject(error);
        throw error;
      }
    });
    const { size, sha256, cut } = content;
    return {
      encoded: quietly(
        promise.then(({ layout }) => encodeContent({ size, ...(sha256 && { sha256 }), cut, layout })),
      ),
      holdings: quietly(promise.then(({ layout }) => holdingsOf(layout))),
    };
  }

  private async *leavesOf(map: MapReader, path: Uint8Array): AsyncIterable<Leaf> {
    const leaves = map.leaves()[Symbol.asyncIterator]();
    for (;;) {
      const next = await leaves.next().catch((error: unknown) => {
        if (!(error instanceof DamagedObjectError)) throw error;
        throw error.neededBy({ backup: this.from, file: readableBytes(path) });
      });
      if (next.done === true) return;
      yield next.value;
    }
  }

  private async writeLeaf(
    moved: readonly MovedBlock[],
    cut: CutMethod,
    maps: MapWriter,
    holdings: Holdings,
  ): Promise<void> {
    const blocks = await Promise.all(moved.map(settled));
    for (const block of blocks) holdings.block(block);
    const place = await this.appendPage(encodeBlocks(blocks, cut));
    await maps.add({ place, bytes: blocks.reduce((sum, { size }) => sum + size, 0) });
  }
}

async function inlineOf(moved: readonly MovedBlock[]): Promise<Content['layout']> {
  return { kind: 'inline', blocks: await Promise.all(moved.map(settled)) };
}

async function treeOf(maps: MapWriter, holdings: Holdings): Promise<Content['layout']> {
  const { level, root } = await maps.finish();
  return { kind: 'tree', level, root, holdings: holdings.list() };
}

/** Thrown to whoever awaits it; nobody does when the queue failed before. */
function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
