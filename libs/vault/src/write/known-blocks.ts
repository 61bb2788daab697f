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

/**
 * Remembers the blocks that were stored last, so that equal files near each other are stored once. Between half the
 * limit and the limit: the older half goes at once, because deleting single keys from a large Map is slow.
 */
export class RecentBlocks {
  private newer = new Map<string, KnownBlock>();
  private older: ReadonlyMap<string, KnownBlock> = new Map();
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  find(key: string): KnownBlock | undefined {
    return this.newer.get(key) ?? this.older.get(key);
  }

  remember(key: string, block: KnownBlock): void {
    this.newer.set(key, block);
    if (this.newer.size < this.limit / 2) return;
    this.older = this.newer;
    this.newer = new Map();
  }
}
