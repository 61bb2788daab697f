import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import { CatenaError } from '@catena/events';
import type { ObjectStore, ObjectWriter } from '../port/object-store.ts';
import type { ContentsBlock } from './contents-table.ts';
import { ContentsTableWriter } from './contents-table.ts';
import { encodeFooterEnd, encodeFooterStart } from './object-footer.ts';
import type { ObjectIdentity, ObjectKind } from './object-header.ts';
import { encodeHeader, HEADER_BYTES } from './object-header.ts';
import type { UnitBody } from './unit-codec.ts';
import { rawUnit } from './unit-codec.ts';
import type { UnitSeal } from './unit-seal.ts';
import { unitSeal } from './unit-seal.ts';

/** Where a sealed unit lies. `volume` is the number it has in the manifest. */
export interface UnitPlace {
  readonly volume: number;
  readonly object: number;
  readonly offset: number;
  readonly length: number;
}

export interface SeriesOptions {
  readonly store: ObjectStore;
  readonly kind: ObjectKind;
  readonly volume: { readonly number: number; readonly id: string; readonly origin: string };
  readonly key?: { readonly id: string; readonly secret: Uint8Array };
  readonly nameOf: (number: number) => string;
  /** A new object is begun when one has reached this size. */
  readonly targetBytes: number;
  /** Waited for before an object becomes visible: what it refers to must be durable first. */
  readonly beforeCommit?: () => Promise<unknown>;
  readonly afterCommit?: () => void;
  /** Objects that may wait for their commit before `append` waits too. */
  readonly maxUncommitted?: number;
}

/** An object of very many very small blocks is closed before its table grows larger than this. */
const MAX_CONTENTS_BYTES = 4 * 1024 * 1024;

/** Written to the store in pieces of this size. */
const WRITE_BYTES = 512 * 1024;

interface OpenObject {
  readonly number: number;
  readonly writer: ObjectWriter;
  readonly seal: UnitSeal;
  readonly contents: ContentsTableWriter;
  readonly hash: Hash;
  offset: number;
  /** What has not been written to the store yet. */
  readonly pending: Buffer;
  pendingBytes: number;
}

/** Writes the objects of one kind of a volume, one after another. Calls of `append` must not overlap. */
export class ObjectSeriesWriter {
  private readonly options: SeriesOptions;
  private open: OpenObject | undefined;
  private readonly closing: Promise<void>[] = [];
  /** Sizes of all objects, in order; complete after `finish`. */
  readonly sizes: number[] = [];
  bytesWritten = 0;

  constructor(options: SeriesOptions) {
    this.options = options;
  }

  private async begin(): Promise<OpenObject> {
    const { store, kind, volume, key, nameOf } = this.options;
    const number = this.sizes.length + 1;
    this.sizes.push(0);
    const identity: ObjectIdentity = {
      kind,
      number,
      volume: volume.id,
      origin: volume.origin,
      ...(key === undefined ? {} : { key: key.id }),
    };
    const object: OpenObject = {
      number,
      writer: await store.create(nameOf(number)),
      seal: unitSeal(identity, key?.secret),
      contents: new ContentsTableWriter(),
      hash: createHash('sha256'),
      offset: 0,
      pending: Buffer.allocUnsafeSlow(WRITE_BYTES),
      pendingBytes: 0,
    };
    this.open = object;
    await this.write(object, encodeHeader(identity));
    return object;
  }

  private async write(object: OpenObject, bytes: Uint8Array): Promise<void> {
    object.offset += bytes.length;
    this.bytesWritten += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + WRITE_BYTES - object.pendingBytes);
      object.pending.set(piece, object.pendingBytes);
      object.pendingBytes += piece.length;
      at += piece.length;
      if (object.pendingBytes === WRITE_BYTES) await this.flush(object);
    }
  }

  private async flush(object: OpenObject): Promise<void> {
    const bytes = object.pending.subarray(0, object.pendingBytes);
    object.pendingBytes = 0;
    object.hash.update(bytes);
    await object.writer.write(bytes);
  }

  private async seal(object: OpenObject, unit: UnitBody): Promise<number> {
    const begin = object.offset;
    for (const part of object.seal.seal([unit.method, unit.data], begin)) await this.write(object, part);
    return object.offset - begin;
  }

  /** Seals a unit (see unit-codec) and writes it. It is durable when `finish` has resolved. */
  async append(unit: UnitBody, blocks: readonly ContentsBlock[] = []): Promise<UnitPlace> {
    const object = this.open ?? (await this.begin());
    const offset = object.offset;
    const length = await this.seal(object, unit);
    object.contents.add(length, blocks);
    const full = object.offset >= this.options.targetBytes || object.contents.bytes >= MAX_CONTENTS_BYTES;
    if (full) await this.end();
    return { volume: this.options.volume.number, object: object.number, offset, length };
  }

  private async end(): Promise<void> {
    const object = this.open;
    if (object === undefined) return;
    this.open = undefined;
    const contentsOffset = object.offset;
    const contentsLength = await this.seal(object, rawUnit(object.contents.encode()));
    const { units } = object.contents;
    await this.write(object, encodeFooterStart({ contentsOffset, contentsLength, units }));
    await this.flush(object);
    const end = encodeFooterEnd(object.hash.digest());
    await object.writer.write(end);
    this.bytesWritten += end.length;
    this.sizes[object.number - 1] = object.offset + end.length;
    const committed = this.commit(object);
    // Thrown to whoever waits in `durable`; until then it must not count as unhandled.
    committed.catch(() => undefined);
    this.closing.push(committed);
    // Syncing may be slower than writing; only so many objects wait for it.
    const { maxUncommitted } = this.options;
    if (maxUncommitted !== undefined) await this.closing[this.closing.length - maxUncommitted];
  }

  private async commit(object: OpenObject): Promise<void> {
    try {
      await this.options.beforeCommit?.();
      const name = this.options.nameOf(object.number);
      if (!(await object.writer.commit()))
        throw new CatenaError(
          'vault.object-exists',
          `${name} exists although nobody else writes to its volume`,
        );
    } catch (error) {
      await object.writer.abort();
      throw error;
    }
    this.options.afterCommit?.();
  }

  /** Resolves when every object that has been closed so far is durable. */
  async durable(): Promise<void> {
    await Promise.all(this.closing);
  }

  /** Closes the last object and waits until all are durable. */
  async finish(): Promise<void> {
    await this.end();
    await this.durable();
  }

  /** Gives up the object being written; those already closed stay. */
  async abandon(): Promise<void> {
    const object = this.open;
    this.open = undefined;
    await object?.writer.abort();
    await Promise.allSettled(this.closing);
  }
}

/** Smallest size of a whole object; what is shorter has been cut off. */
export const SMALLEST_OBJECT_BYTES = HEADER_BYTES + 64;
