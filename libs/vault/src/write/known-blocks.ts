import type { UnitPlace } from '../container/object-series-writer.ts';

/** Where a block that is stored already can be found. */
export interface KnownBlock {
  readonly unit: UnitPlace;
  readonly start: number;
  readonly size: number;
}

/** Block ids as Map keys: 16 characters, one per byte. */
export function idKey(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1');
}
