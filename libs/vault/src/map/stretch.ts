import type { UnitPlace } from '../container/object-series-writer.ts';
import type { Block } from './block.ts';
import { samePlace } from './leaf-page.ts';

/** Blocks that lie one after another in one unit, or a run of zeros. */
export interface Stretch {
  readonly unit: UnitPlace | undefined;
  readonly start: number;
  size: number;
}

/** Blocks as stretches, each as long as can be. */
export function stretchesOfBlocks(blocks: readonly Block[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const block of blocks) {
    const unit = block.zero ? undefined : block.unit;
    const start = block.zero ? 0 : block.start;
    const open = stretches.at(-1);
    if (open !== undefined && follows(open, unit, start)) open.size += block.size;
    else stretches.push({ unit, start, size: block.size });
  }
  return stretches;
}

/** Whether what begins at a place goes on where a stretch ends. */
export function follows(open: Stretch, unit: UnitPlace | undefined, start: number): boolean {
  if (unit === undefined || open.unit === undefined) return unit === open.unit;
  return samePlace(unit, open.unit) && open.start + open.size === start;
}
