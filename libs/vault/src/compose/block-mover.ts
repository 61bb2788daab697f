import type { KeyObject } from 'node:crypto';
import { createHmac } from 'node:crypto';
import { readableBytes } from '../codec/readable-bytes.ts';
import { BLOCK_ID_BYTES } from '../container/contents-table.ts';
import type { UnitPlace } from '../container/object-series-writer.ts';
import type { UnitReader } from '../container/unit-reader.ts';
import { DamagedObjectError } from '../error/damaged-object-error.ts';
import type { Block, PlacedBlock } from '../map/block.ts';
import type { KnownBlock } from '../write/known-blocks.ts';
import { idKey } from '../write/known-blocks.ts';
import { BlockGroup } from './block-group.ts';
import type { ComposedUnits } from './composed-units.ts';
import { RecentPlaces } from './recent-places.ts';

/** Groups whose unit may be on its way from the repository at once. */
const MAX_GROUPS = 12;
/** Groups of fewer bytes are seldom whole units: they are scattered blocks of one, which other groups will want as well. */
const LIKELY_WHOLE_BYTES = 64 * 1024;

/** A block of a file of the composed full, whose place may not be decided yet. */
export type MovedBlock =
  | { readonly zero: true; readonly size: number }
  | { readonly zero: false; readonly id: Uint8Array; readonly size: number; readonly place: PlaceOf };

interface OpenedUnit {
  readonly plain: Buffer;
  readonly body?: Buffer;
}

type PlaceOf = () => Promise<{ unit: UnitPlace; start: number }>;

export interface BlockMoverParts {
  /** Units of the closure. */
  readonly units: UnitReader;
  readonly composed: ComposedUnits;
  readonly identityKey: KeyObject;
  /** Id of the backup that is composed from, for what is damaged. */
  readonly from: string;
  /** Blocks of earlier attempts of the run. */
  readonly leftovers: { find(key: string): Promise<KnownBlock | undefined> } | undefined;
}

/**
 * Takes blocks over in the order of the files. Every block is checked against its identity. A unit that is needed whole, in its
 * order, keeps its compressed bytes; of the others the blocks that are needed are put together anew, so that what lies
 * next to each other in the files does so in the packs.
 */
export class BlockMover {
  private readonly parts: BlockMoverParts;
  private readonly recent = new RecentPlaces<PlaceOf>();
  private readonly moving: Promise<void>[] = [];
  private open: BlockGroup | undefined;
  private tail: Promise<void> = Promise.resolve();
  private failure: { readonly error: unknown } | undefined;
  /** Bytes of blocks that were not there from an earlier attempt. */
  bytesMoved = 0;

  constructor(parts: BlockMoverParts) {
    this.parts = parts;
  }

  /** @param file path that needs the block */
  async take(block: Block, file: Uint8Array): Promise<MovedBlock> {
    if (block.zero) return block;
    const { id, size } = block;
    const key = idKey(id);
    const place = this.recent.find(key, size) ?? (await this.leftover(key, size));
    if (place !== undefined) return { zero: false, id, size, place };
    return { zero: false, id, size, place: await this.place(block, key, file) };
  }

  private async leftover(key: string, size: number): Promise<PlaceOf | undefined> {
    const known = await this.parts.leftovers?.find(key);
    if (known?.size !== size) return undefined;
    const { unit, start } = known;
    return () => Promise.resolve({ unit, start });
  }

  private async place(block: PlacedBlock, key: string, file: Uint8Array): Promise<PlaceOf> {
    if (this.open?.continuesWith(block) !== true) {
      await this.close();
      this.open = new BlockGroup(block.unit);
    }
    const group = this.open;
    const number = group.add(block, file);
    this.bytesMoved += block.size;
    const place: PlaceOf = () => group.placeOf(number);
    this.recent.remember(key, block.size, place);
    return place;
  }

  /** Ends the group that is being collected, so that those who wait for its places can go on. */
  async close(): Promise<void> {
    const group = this.open;
    if (group === undefined) return;
    this.open = undefined;
    if (this.failure !== undefined) throw this.failure.error;
    const { opened, release } = this.openUnit(group);
    opened.catch(() => undefined); // thrown when its turn comes
    const moved = this.tail.then(async () => {
      try {
        if (this.failure !== undefined) throw this.failure.error;
        const unit = await opened;
        await this.parts.composed.room();
        this.move(group, unit);
      } catch (error) {
        this.failure ??= { error };
        group.fail(error);
      } finally {
        release();
      }
    });
    this.tail = moved;
    this.moving.push(moved);
    if (this.moving.length > MAX_GROUPS) await this.moving.shift();
  }

  /** The unit of a group; its compressed bytes only where it may go over whole. */
  private openUnit(group: BlockGroup): { opened: Promise<OpenedUnit>; release: () => void } {
    const { units } = this.parts;
    const failed = (error: unknown) => {
      throw this.named(error, group);
    };
    const withBody = () => units.readWithBody('pack', group.unit);
    if (group.start === 0 && group.bytes >= LIKELY_WHOLE_BYTES)
      return { opened: withBody().catch(failed), release: () => undefined };
    const held = units.hold('pack', group.unit);
    const opened = held.plain.then((plain) => (isWhole(group, plain) ? withBody() : { plain }));
    return { opened: opened.catch(failed), release: () => held.release() };
  }

  private move(group: BlockGroup, { plain, body }: OpenedUnit): void {
    const { composed } = this.parts;
    const pieces = group.blocks.map((block) => this.verified(group, block, plain));
    if (body === undefined || !isWhole(group, plain)) {
      group.settle(group.blocks.map(({ id }, i) => composed.add(id, pieces[i] ?? Buffer.alloc(0))));
      return;
    }
    const unit = composed.whole({ method: body.subarray(0, 1), data: body.subarray(1) }, group.blocks);
    unit.catch(() => undefined); // thrown to whoever needs the place, and by `drain`
    group.settle(group.blocks.map(({ start }) => ({ unit, start })));
  }

  private verified(group: BlockGroup, block: PlacedBlock, plain: Buffer): Buffer {
    const { units, identityKey } = this.parts;
    const bytes = plain.subarray(block.start, block.start + block.size);
    const id = createHmac('sha256', identityKey).update(bytes).digest().subarray(0, BLOCK_ID_BYTES);
    if (bytes.length === block.size && id.equals(block.id)) return bytes;
    throw this.named(units.damaged('pack', group.unit, 'wrong place'), group);
  }

  private named(error: unknown, { files }: BlockGroup): unknown {
    if (!(error instanceof DamagedObjectError)) return error;
    return files.reduce(
      (named, file) => named.neededBy({ backup: this.parts.from, file: readableBytes(file) }),
      error,
    );
  }

  /** Resolves when every block taken so far is in the packs. */
  async drain(): Promise<void> {
    await this.close();
    await this.tail;
    if (this.failure !== undefined) throw this.failure.error;
    await this.parts.composed.drain();
  }

  /** So that what waits for places of blocks can go on. */
  async flush(): Promise<void> {
    await this.close();
    await this.tail;
    if (this.failure !== undefined) throw this.failure.error;
    this.parts.composed.flush();
  }

  async stop(reason: unknown): Promise<void> {
    this.failure ??= { error: reason };
    this.open?.fail(reason);
    this.open = undefined;
    await this.tail;
    await this.parts.composed.stop(reason);
  }
}

function isWhole(group: BlockGroup, plain: Buffer): boolean {
  return group.start === 0 && group.bytes === plain.length;
}
