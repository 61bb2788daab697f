import type { CutMethod } from '../port/entry.ts';
import { ContentDefinedCutter } from './content-defined-cutter.ts';
import { FixedCutter } from './fixed-cutter.ts';

/** Cuts a stream of bytes into blocks. A block that is handed out is valid until the next one is asked for. */
export interface Cutter {
  push(bytes: Uint8Array): Iterable<Uint8Array>;
  /** What is left at the end of the stream. */
  end(): Iterable<Uint8Array>;
}

export function cutterFor(cut: CutMethod, gear: Uint32Array): Cutter {
  return cut.kind === 'fixed'
    ? new FixedCutter(cut.blockSize)
    : new ContentDefinedCutter(cut.averageSize, gear);
}
