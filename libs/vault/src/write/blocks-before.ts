import { BLOCK_ID_BYTES } from '../container/contents-table.ts';
import type { Block, PlacedBlock } from '../map/block.ts';
import type { PageRef } from '../map/index-page.ts';
import { LEAF_BLOCKS } from '../map/leaf-page.ts';
import type { MapReader } from '../map/map-reader.ts';
import { idKey } from './known-blocks.ts';

/** A leaf of the previous map that a new leaf may turn out to be the same as. */
export interface LeafBefore {
  readonly ref?: PageRef;
  readonly blocks: readonly Block[];
}

/** Leaf `number` of a map of fixed blocks, wherever it is kept. */
export async function leafBefore(map: MapReader, number: number): Promise<LeafBefore | undefined> {
  if (!map.isInline) return map.leaf(number);
  if (number > 0) return undefined;
  for await (const only of map.leaves()) return only;
  return undefined;
}

/** The parent's map of a file of fixed blocks, read along with the file. */
export class FixedBefore {
  private readonly map: MapReader;
  private readonly leaves = new Map<number, Promise<LeafBefore | undefined>>();

  constructor(map: MapReader) {
    this.map = map;
  }

  leaf(number: number): Promise<LeafBefore | undefined> {
    let leaf = this.leaves.get(number);
    if (leaf === undefined) {
      leaf = leafBefore(this.map, number);
      leaf.catch(() => undefined); // thrown to whoever asks
      this.leaves.set(number, leaf);
    }
    return leaf;
  }

  /** The leaves before this one are not asked for again. */
  forgetUpTo(number: number): void {
    for (const known of this.leaves.keys()) if (known < number) this.leaves.delete(known);
  }

  /** The blocks that lie at these places in the parent. */
  async blocks(first: number, count: number): Promise<(Block | undefined)[]> {
    const begin = Math.floor(first / LEAF_BLOCKS);
    const end = Math.ceil((first + count) / LEAF_BLOCKS);
    const leaves = await Promise.all(Array.from({ length: end - begin }, (_, i) => this.leaf(begin + i)));
    return Array.from({ length: count }, (_, i) => {
      const at = first + i;
      return leaves[Math.floor(at / LEAF_BLOCKS) - begin]?.blocks[at % LEAF_BLOCKS];
    });
  }
}

/** Identities of blocks one after another; zeros where there is none of this size. */
export function idsOf(blocks: readonly (Block | undefined)[], sizes: Uint32Array): Uint8Array {
  const ids = new Uint8Array(sizes.length * BLOCK_ID_BYTES);
  blocks.forEach((block, i) => {
    if (block !== undefined && !block.zero && block.size === sizes[i]) ids.set(block.id, i * BLOCK_ID_BYTES);
  });
  return ids;
}

/** The parent's map of a file that is cut by content: its blocks may be found again anywhere. */
export class ContentBlocksBefore {
  private readonly blocks = new Map<string, PlacedBlock>();
  private readonly leaves = new Map<string, LeafBefore>();

  static async read(map: MapReader): Promise<ContentBlocksBefore> {
    const known = new ContentBlocksBefore();
    for await (const leaf of map.leaves()) {
      for (const block of leaf.blocks) if (!block.zero) known.blocks.set(idKey(block.id), block);
      const first = leaf.blocks[0];
      if (first !== undefined && !first.zero) known.leaves.set(idKey(first.id), leaf);
    }
    return known;
  }

  find(key: string): PlacedBlock | undefined {
    return this.blocks.get(key);
  }

  leafStartingWith(id: Uint8Array): LeafBefore | undefined {
    return this.leaves.get(idKey(id));
  }
}
