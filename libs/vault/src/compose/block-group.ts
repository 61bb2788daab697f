import type { UnitPlace } from '../container/object-series-writer.ts';
import type { PlacedBlock } from '../map/block.ts';

/** Where a block lies in the composed full; the unit may not have its place yet. */
export interface ComposedPlace {
  readonly unit: Promise<UnitPlace>;
  readonly start: number;
}

/**
 * Blocks that lie one after another in one unit of the closure and that files need in this order. What becomes of them is
 * decided for all at once: the unit goes over as it is when all of it is in the group, else its blocks are copied.
 */
export class BlockGroup {
  readonly unit: UnitPlace;
  /** Until it is settled; places outlive it by far. */
  blocks: PlacedBlock[] = [];
  /** Paths that need the group; the first few. */
  files: Uint8Array[] = [];
  bytes = 0;
  private readonly placed = Promise.withResolvers<readonly ComposedPlace[]>();

  constructor(unit: UnitPlace) {
    this.unit = unit;
    this.placed.promise.catch(() => undefined); // thrown to whoever needs a place
  }

  /** Where in the unit the group begins. */
  get start(): number {
    return this.blocks[0]?.start ?? 0;
  }

  /** Whether the block is the next one of the same unit. */
  continuesWith(block: PlacedBlock): boolean {
    const { volume, object, offset } = this.unit;
    const { unit, start } = block;
    const isSameUnit = unit.offset === offset && unit.object === object && unit.volume === volume;
    return isSameUnit && start === this.start + this.bytes;
  }

  /** @returns the block's number in the group */
  add(block: PlacedBlock, file: Uint8Array): number {
    this.blocks.push(block);
    this.bytes += block.size;
    if (this.files.at(-1) !== file && this.files.length < MOST_FILES) this.files.push(file);
    return this.blocks.length - 1;
  }

  /** Says where the blocks lie now, one place for each. */
  settle(places: readonly ComposedPlace[]): void {
    this.blocks = [];
    this.files = [];
    this.placed.resolve(places);
  }

  fail(error: unknown): void {
    this.placed.reject(error);
  }

  async placeOf(number: number): Promise<{ unit: UnitPlace; start: number }> {
    const place = (await this.placed.promise)[number];
    if (place === undefined) throw new RangeError(`the group has no block ${number}`);
    return { unit: await place.unit, start: place.start };
  }
}

const MOST_FILES = 20;
