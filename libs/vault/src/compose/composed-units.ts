import type { ContentsBlock } from '../container/contents-table.ts';
import type { ObjectSeriesWriter, UnitPlace } from '../container/object-series-writer.ts';
import type { UnitBody } from '../container/unit-codec.ts';
import { compressUnit } from '../container/unit-codec.ts';
import type { ComposedPlace } from './block-group.ts';

export interface ComposedUnitsOptions {
  readonly packs: ObjectSeriesWriter;
  /** Bytes at which a unit of copied blocks is closed. */
  readonly unitBytes: number;
  readonly compressionLevel: number;
}

const MAX_WAITING = 16;

interface OpenUnit {
  readonly placed: PromiseWithResolvers<UnitPlace>;
  readonly buffer: Buffer;
  length: number;
  readonly blocks: ContentsBlock[];
}

/**
 * The packs of a composed full, unit by unit: units that live on whole, compressed as they are, and new units of the blocks
 * that are left of others.
 */
export class ComposedUnits {
  private readonly options: ComposedUnitsOptions;
  private open: OpenUnit | undefined;
  /** Buffers of units that have been written, to be filled again. */
  private readonly spare: Buffer[] = [];
  private tail: Promise<unknown> = Promise.resolve();
  private failure: { readonly error: unknown } | undefined;
  /** Units that are being compressed or wait to be written. */
  private readonly waiting = new Set<Promise<unknown>>();
  /** Bytes of all blocks before compression. */
  blockBytes = 0;

  constructor(options: ComposedUnitsOptions) {
    this.options = options;
  }

  /** Writes a unit as it was compressed before; it is sealed anew for its place. */
  whole(body: UnitBody, blocks: readonly ContentsBlock[]): Promise<UnitPlace> {
    for (const { size } of blocks) this.blockBytes += size;
    return this.append(Promise.resolve(body), blocks);
  }

  /** Copies a block into the open unit. */
  add(id: Uint8Array, block: Uint8Array): ComposedPlace {
    const { unitBytes } = this.options;
    if (this.open !== undefined && this.open.length + block.length > this.open.buffer.length) this.flush();
    this.open ??= {
      placed: Promise.withResolvers(),
      buffer: this.buffer(Math.max(unitBytes, block.length)),
      length: 0,
      blocks: [],
    };
    const { placed, buffer, length, blocks } = this.open;
    placed.promise.catch(() => undefined); // thrown to whoever needs the place
    buffer.set(block, length);
    blocks.push({ id, size: block.length });
    this.open.length += block.length;
    this.blockBytes += block.length;
    if (this.open.length === buffer.length) this.flush();
    return { unit: placed.promise, start: length };
  }

  private buffer(bytes: number): Buffer {
    const spare = bytes === this.options.unitBytes ? this.spare.pop() : undefined;
    return spare ?? Buffer.allocUnsafeSlow(bytes);
  }

  /** Closes the open unit, however small, so that what waits for its place can go on. */
  flush(): void {
    const unit = this.open;
    if (unit === undefined) return;
    this.open = undefined;
    const body = compressUnit(unit.buffer.subarray(0, unit.length), this.options.compressionLevel);
    this.append(body, unit.blocks)
      .finally(() => {
        if (unit.buffer.length === this.options.unitBytes) this.spare.push(unit.buffer);
      })
      .then(unit.placed.resolve, unit.placed.reject);
  }

  /** Units are written one after another, in the order in which they were closed. */
  private append(body: Promise<UnitBody>, blocks: readonly ContentsBlock[]): Promise<UnitPlace> {
    body.catch(() => undefined); // awaited below, possibly much later
    const placed = this.tail.then(async () => {
      if (this.failure !== undefined) throw this.failure.error;
      return this.options.packs.append(await body, blocks);
    });
    const done = placed
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => this.waiting.delete(done));
    this.tail = done;
    this.waiting.add(done);
    return placed;
  }

  /** Resolves when another unit may be added. */
  async room(): Promise<void> {
    while (this.waiting.size >= MAX_WAITING) await this.waiting.values().next().value;
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** Resolves when everything so far has been handed to the store. */
  async drain(): Promise<void> {
    this.flush();
    await this.tail;
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** Stops writing; what waits is given up. */
  async stop(reason: unknown): Promise<void> {
    this.failure ??= { error: reason };
    this.open?.placed.reject(reason);
    this.open = undefined;
    await this.tail;
  }
}
