import type { ContentsBlock } from '../container/contents-table.ts';
import type { ObjectSeriesWriter, UnitPlace } from '../container/object-series-writer.ts';
import { compressUnit } from '../container/unit-codec.ts';

/** A unit that blocks have been put into; where it lies is known once it has been sealed. */
export interface PackedUnit {
  readonly placed: Promise<UnitPlace>;
}

interface OpenUnit {
  /** All that is kept of the unit by those who refer to it. */
  readonly handle: PackedUnit;
  readonly resolve: (place: UnitPlace) => void;
  readonly reject: (error: unknown) => void;
  readonly buffer: Buffer;
  length: number;
  readonly blocks: ContentsBlock[];
}

export interface PackerOptions {
  readonly packs: ObjectSeriesWriter;
  readonly unitBytes: number;
  readonly compressionLevel: number;
  /** Units that may be compressing or waiting to be written. */
  readonly maxUnits: number;
}

/**
 * Puts blocks into units, in order, across files. Units are compressed on other threads side by side, and sealed and
 * written one after another.
 */
export class UnitPacker {
  private readonly options: PackerOptions;
  private open: OpenUnit | undefined;
  private readonly inFlight = new Set<Promise<void>>();
  private tail: Promise<void> = Promise.resolve();
  private failure: { readonly error: unknown } | undefined;
  /** Buffers of units that have been written, to be filled again. */
  private readonly spare: Buffer[] = [];
  blockBytes = 0;

  constructor(options: PackerOptions) {
    this.options = options;
  }

  /** Copies a block into the open unit. `start` is where in the unit it begins. */
  add(id: Uint8Array, block: Uint8Array): { unit: PackedUnit; start: number } {
    let unit = this.open;
    if (unit !== undefined && unit.length + block.length > unit.buffer.length) {
      this.flush();
      unit = undefined;
    }
    if (unit === undefined) {
      const { promise, resolve, reject } = Promise.withResolvers<UnitPlace>();
      promise.catch(() => undefined); // whoever needs the place gets the failure from `placed`
      const buffer = this.buffer(block.length);
      const handle = { placed: promise };
      unit = this.open = { handle, resolve, reject, buffer, length: 0, blocks: [] };
    }
    const start = unit.length;
    unit.buffer.set(block, start);
    unit.length += block.length;
    unit.blocks.push({ id, size: block.length });
    this.blockBytes += block.length;
    if (unit.length === unit.buffer.length) this.flush();
    return { unit: unit.handle, start };
  }

  private buffer(atLeast: number): Buffer {
    const { unitBytes } = this.options;
    if (atLeast > unitBytes) return Buffer.allocUnsafeSlow(atLeast);
    return this.spare.pop() ?? Buffer.allocUnsafeSlow(unitBytes);
  }

  /** Closes the open unit, however small, so that what waits for its place can go on. */
  flush(): void {
    const unit = this.open;
    if (unit === undefined) return;
    this.open = undefined;
    const compressed = compressUnit(unit.buffer.subarray(0, unit.length), this.options.compressionLevel);
    compressed.catch(() => undefined); // awaited below, possibly much later
    const done: Promise<void> = this.tail.then(async () => {
      try {
        if (this.failure !== undefined) throw this.failure.error;
        unit.resolve(await this.options.packs.append(await compressed, unit.blocks));
      } catch (error) {
        this.failure ??= { error };
        unit.reject(error);
      } finally {
        if (unit.buffer.length === this.options.unitBytes) this.spare.push(unit.buffer);
        this.inFlight.delete(done);
      }
    });
    this.tail = done;
    this.inFlight.add(done);
  }

  /** Resolves when another unit may be begun. */
  async room(): Promise<void> {
    while (this.inFlight.size >= this.options.maxUnits) await this.inFlight.values().next().value;
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** Resolves when everything added so far has been handed to the store. */
  async drain(): Promise<void> {
    this.flush();
    await this.tail;
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** Stops writing; what waits is given up. */
  async stop(): Promise<void> {
    this.failure ??= { error: new Error('the backup was abandoned') };
    this.open?.reject(this.failure.error);
    this.open = undefined;
    await this.tail;
  }
}
