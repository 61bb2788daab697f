import type { UnitPlace } from '../container/object-series-writer.ts';

/** A block that consists of zeros is not stored. */
export interface ZeroBlock {
  readonly zero: true;
  readonly size: number;
}

export interface PlacedBlock {
  readonly zero: false;
  /** Keyed hash of the block, 16 bytes. */
  readonly id: Uint8Array;
  readonly size: number;
  /** The unit that holds it, and where in the unit (uncompressed) it begins. */
  readonly unit: UnitPlace;
  readonly start: number;
}

/** One block of a file, in the file's order. */
export type Block = ZeroBlock | PlacedBlock;
