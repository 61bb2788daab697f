import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import { MalformedBytesError } from '../codec/byte-reader.ts';
import type { ContentsUnit } from '../container/contents-table.ts';
import { decodeContents } from '../container/contents-table.ts';
import type { ObjectFooter } from '../container/object-footer.ts';
import { decodeFooter } from '../container/object-footer.ts';
import { encodeHeader, FOOTER_BYTES, HEADER_BYTES } from '../container/object-header.ts';
import { SMALLEST_OBJECT_BYTES } from '../container/object-series-writer.ts';
import { decodeUnit } from '../container/unit-codec.ts';
import type { UnitSeal } from '../container/unit-seal.ts';
import type { Damage } from '../error/damaged-object-error.ts';
import { ObjectMissingError } from '../error/object-missing-error.ts';
import type { ObjectStore } from '../port/object-store.ts';
import type { NeededObject } from './closure-objects.ts';

/** Read at once while an object is gone through. */
const READ_BYTES = 4 * 1024 * 1024;

export interface ObjectChecker {
  readonly store: ObjectStore;
  /** Opens units of the object; `undefined` when the key is not at hand, then only the object's hash is checked. */
  readonly sealOf: (object: NeededObject) => UnitSeal | undefined;
  /** Where a repair overlay for a unit of the object would lie. */
  readonly repairOf: (object: NeededObject, offset: number) => string;
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal | undefined;
}

type Found = Pick<Damage, 'reason' | 'offset' | 'length'>;

/** Is the object there, and as long as it was? */
export async function checkPresence(store: ObjectStore, object: NeededObject): Promise<Found | undefined> {
  const size = await store.size(object.name);
  if (size === undefined) return { reason: 'missing' };
  const expected = object.size ?? SMALLEST_OBJECT_BYTES;
  if (object.size === undefined ? size < expected : size !== expected) return { reason: 'truncated' };
  return undefined;
}

async function readTable(
  checker: ObjectChecker,
  object: NeededObject,
  footer: ObjectFooter,
  seal: UnitSeal,
): Promise<ContentsUnit[] | undefined> {
  const { contentsOffset, contentsLength, units } = footer;
  const sealed = await checker.store.read(object.name, contentsOffset, contentsLength);
  const opened = seal.open(sealed, contentsOffset);
  if (opened === undefined) return undefined;
  try {
    return decodeContents(await decodeUnit(opened), units);
  } catch (error) {
    if (error instanceof MalformedBytesError) return undefined;
    throw error;
  }
}

async function isRepaired(
  checker: ObjectChecker,
  object: NeededObject,
  unit: ContentsUnit,
  seal: UnitSeal,
): Promise<boolean> {
  try {
    const overlay = await checker.store.read(checker.repairOf(object, unit.offset), 0, unit.length);
    return seal.open(overlay, unit.offset) !== undefined;
  } catch (error) {
    if (error instanceof ObjectMissingError) return false;
    throw error;
  }
}

/** Units next to each other, read together. */
function* batches(units: readonly ContentsUnit[]): Iterable<ContentsUnit[]> {
  let batch: ContentsUnit[] = [];
  let bytes = 0;
  for (const unit of units) {
    if (batch.length > 0 && bytes + unit.length > READ_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(unit);
    bytes += unit.length;
  }
  if (batch.length > 0) yield batch;
}

/** Opens every unit. A unit that a repair overlay replaces counts as whole. */
async function checkUnits(
  checker: ObjectChecker,
  object: NeededObject,
  units: readonly ContentsUnit[],
  seal: UnitSeal,
  hash: Hash,
): Promise<Found[]> {
  const found: Found[] = [];
  for (const batch of batches(units)) {
    checker.signal?.throwIfAborted();
    const start = batch[0]?.offset ?? HEADER_BYTES;
    const length = batch.reduce((sum, unit) => sum + unit.length, 0);
    const bytes = await checker.store.read(object.name, start, length);
    hash.update(bytes);
    checker.onBytes(bytes.length);
    for (const unit of batch) {
      const sealed = bytes.subarray(unit.offset - start, unit.offset - start + unit.length);
      if (seal.open(sealed, unit.offset) !== undefined || (await isRepaired(checker, object, unit, seal)))
        continue;
      found.push({ reason: 'checksum', offset: unit.offset, length: unit.length });
    }
  }
  return found;
}

async function hashRange(
  checker: ObjectChecker,
  name: string,
  from: number,
  to: number,
  hash: Hash,
): Promise<void> {
  for (let at = from; at < to; at += READ_BYTES) {
    checker.signal?.throwIfAborted();
    const bytes = await checker.store.read(name, at, Math.min(READ_BYTES, to - at));
    hash.update(bytes);
    checker.onBytes(bytes.length);
  }
}

/** Reads an object whole: header, every unit, table and hash. */
export async function checkBytes(checker: ObjectChecker, object: NeededObject): Promise<Found[]> {
  const { store } = checker;
  const size = await store.size(object.name);
  if (size === undefined) return [{ reason: 'missing' }];
  if (size < SMALLEST_OBJECT_BYTES || (object.size !== undefined && size !== object.size))
    return [{ reason: 'truncated' }];
  const header = await store.read(object.name, 0, HEADER_BYTES);
  if (Buffer.compare(header, encodeHeader(object.identity)) !== 0) return [{ reason: 'header' }];
  const tail = await store.read(object.name, size - FOOTER_BYTES, FOOTER_BYTES);
  const footer = decodeFooter(tail);
  const hashedEnd = size - FOOTER_BYTES + 16;
  if (footer === undefined || footer.contentsOffset + footer.contentsLength !== size - FOOTER_BYTES)
    return [{ reason: 'checksum', offset: size - FOOTER_BYTES, length: FOOTER_BYTES }];
  const hash = createHash('sha256').update(header);
  const seal = checker.sealOf(object);
  const units = seal === undefined ? undefined : await readTable(checker, object, footer, seal);
  if (seal === undefined || units === undefined) {
    await hashRange(checker, object.name, HEADER_BYTES, hashedEnd, hash);
    return hash.digest().equals(footer.sha256) ? [] : [{ reason: 'checksum' }];
  }
  const found = await checkUnits(checker, object, units, seal, hash);
  await hashRange(checker, object.name, footer.contentsOffset, hashedEnd, hash);
  if (found.length > 0 || hash.digest().equals(footer.sha256)) return found;
  // All units open, or are repaired: what differs is what no restore reads, or has been made good.
  const repaired = units.length > 0 && (await anyRepaired(checker, object, units));
  return repaired
    ? []
    : [{ reason: 'checksum', offset: footer.contentsOffset, length: size - footer.contentsOffset }];
}

async function anyRepaired(
  checker: ObjectChecker,
  object: NeededObject,
  units: readonly ContentsUnit[],
): Promise<boolean> {
  for (const unit of units)
    if ((await checker.store.size(checker.repairOf(object, unit.offset))) !== undefined) return true;
  return false;
}
