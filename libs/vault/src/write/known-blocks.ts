import type { UnitPlace } from '../container/object-series-writer.ts';
import type { PackedUnit } from './unit-packer.ts';

/** Where a block that is stored already can be found. */
export interface KnownBlock {
  readonly unit: PackedUnit | UnitPlace;
  readonly start: number;
  readonly size: number;
}

/** Block ids as Map keys: 16 characters, one per byte. */
export function idKey(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1');
}

/** Remembers the blocks that were stored last, so that equal files near each other are stored once. Bounded. */
export class RecentBlocks {
  private readonly blocks = new Map<string, KnownBlock>();
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  find(key: string): KnownBlock | undefined {
    return this.blocks.get(key);
  }

  remember(key: string, block: KnownBlock): void {
    this.blocks.set(key, block);
    if (this.blocks.size <= this.limit) return;
    const oldest = this.blocks.keys().next();
    if (!oldest.done) this.blocks.delete(oldest.value);
  }
}
