import { MalformedBytesError } from '../codec/byte-reader.ts';
import type { UnitSpan } from '../container/contents-table.ts';
import { decodeUnitSpans } from '../container/contents-table.ts';
import type { ObjectFooter } from '../container/object-footer.ts';
import { decodeFooter, HASHED_FOOTER_BYTES } from '../container/object-footer.ts';
import { encodeHeader, FOOTER_BYTES, HEADER_BYTES } from '../container/object-header.ts';
import { SMALLEST_OBJECT_BYTES } from '../container/object-series-writer.ts';
import type { SealedUnits } from '../container/open-units.ts';
import { decodeUnit } from '../container/unit-codec.ts';
import { unitSeal } from '../container/unit-seal.ts';
import type { Damage } from '../error/damaged-object-error.ts';
import { ObjectMissingError } from '../error/object-missing-error.ts';
import type { ByteRate } from '../limit/rate-limiter.ts';
import type { ObjectStore } from '../port/object-store.ts';
import type { TaskRunner } from '../workers/task.ts';
import type { checkingTasks } from './checking-tasks.ts';
import type { NeededObject } from './closure-objects.ts';

/** Read at once while an object is gone through. */
const READ_BYTES = 4 * 1024 * 1024;

export type SealOfObject = Pick<SealedUnits, 'identity' | 'secret'>;

/** A repair overlay: what replaces the bytes of an object from `offset` on. */
export interface RepairOverlay {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

export interface ObjectChecker {
  readonly store: ObjectStore;
  /** What opens the object; `undefined` when the key is not at hand, then only the object's hash is checked. */
  readonly sealOf: (object: NeededObject) => SealOfObject | undefined;
  readonly repairsOf: (object: NeededObject) => Promise<readonly RepairOverlay[]>;
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal | undefined;
  /** How fast objects may be read. */
  readonly rate?: ByteRate | undefined;
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
  store: ObjectStore,
  object: NeededObject,
  footer: ObjectFooter,
  seal: SealOfObject,
): Promise<UnitSpan[] | undefined> {
  const { contentsOffset, contentsLength, units } = footer;
  const sealed = await store.read(object.name, contentsOffset, contentsLength);
  const opened = unitSeal(seal.identity, seal.secret).open(sealed, contentsOffset);
  if (opened === undefined) return undefined;
  try {
    return decodeUnitSpans(await decodeUnit(opened), units);
  } catch (error) {
    if (error instanceof MalformedBytesError) return undefined;
    throw error;
  }
}

/** Units next to each other, read together. */
function* batches(units: readonly UnitSpan[]): Iterable<UnitSpan[]> {
  let batch: UnitSpan[] = [];
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

/** Reads an object and has its bytes checked on another thread, while the next ones are being read. */
class ObjectPass {
  private readonly checker: ObjectChecker;
  private readonly object: NeededObject;
  private readonly runner: TaskRunner<typeof checkingTasks>;
  private readonly seal: SealOfObject | undefined;
  private readonly overlays: readonly RepairOverlay[];
  private checking: Promise<void> | undefined;
  /** Offsets of units that do not open. */
  readonly wrong = new Set<number>();

  /** @param overlays taken instead of what they replace */
  constructor(
    checker: ObjectChecker,
    object: NeededObject,
    runner: TaskRunner<typeof checkingTasks>,
    seal: SealOfObject | undefined,
    overlays: readonly RepairOverlay[] = [],
  ) {
    this.checker = checker;
    this.object = object;
    this.runner = runner;
    this.seal = seal;
    this.overlays = overlays;
  }

  async read(start: number, length: number, units: readonly UnitSpan[] = []): Promise<void> {
    this.checker.signal?.throwIfAborted();
    await this.checker.rate?.take(length);
    const bytes = alone(await this.checker.store.read(this.object.name, start, length));
    for (const overlay of this.overlays) await this.replace(bytes, start, overlay);
    if (this.overlays.length === 0) this.checker.onBytes(bytes.length);
    await this.checking;
    this.checking = this.check(bytes, start, units);
    this.checking.catch(() => undefined); // thrown to whoever waits for it next
  }

  private async check(
    bytes: Uint8Array<ArrayBuffer>,
    start: number,
    units: readonly UnitSpan[],
  ): Promise<void> {
    const places = units.map(({ offset, length }) => ({ offset, length }));
    const of = { object: this.object.name, bytes, start, units: places };
    const input = this.seal === undefined ? of : { ...of, seal: this.seal };
    for (const offset of await this.runner.run('check', input, [bytes.buffer])) this.wrong.add(offset);
  }

  private async replace(
    bytes: Uint8Array,
    start: number,
    { name, offset, size }: RepairOverlay,
  ): Promise<void> {
    const from = Math.max(offset, start);
    const to = Math.min(offset + size, start + bytes.length);
    if (from < to) bytes.set(await this.checker.store.read(name, from - offset, to - from), from - start);
  }

  async rest(from: number, to: number): Promise<void> {
    for (let at = from; at < to; at += READ_BYTES) await this.read(at, Math.min(READ_BYTES, to - at));
  }

  /** SHA-256 of everything that was read. */
  async digest(): Promise<Buffer> {
    await this.checking;
    return Buffer.from(await this.runner.run('digest', this.object.name));
  }
}

/** The same bytes in memory of their own, which can change its owner. */
function alone(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength)
    return bytes as Uint8Array<ArrayBuffer>;
  return Uint8Array.from(bytes);
}

/** Reads an object whole: header, every unit, table and hash. What a repair overlay replaces counts as whole. */
export async function checkBytes(
  checker: ObjectChecker,
  object: NeededObject,
  runner: TaskRunner<typeof checkingTasks>,
): Promise<Found[]> {
  const { store } = checker;
  const size = await store.size(object.name);
  if (size === undefined) return [{ reason: 'missing' }];
  if (size < SMALLEST_OBJECT_BYTES || (object.size !== undefined && size !== object.size))
    return [{ reason: 'truncated' }];
  const header = await store.read(object.name, 0, HEADER_BYTES);
  if (Buffer.compare(header, encodeHeader(object.identity)) !== 0) return [{ reason: 'header' }];
  const footer = decodeFooter(await store.read(object.name, size - FOOTER_BYTES, FOOTER_BYTES));
  if (footer === undefined || footer.contentsOffset + footer.contentsLength !== size - FOOTER_BYTES)
    return [{ reason: 'checksum', offset: size - FOOTER_BYTES, length: FOOTER_BYTES }];
  const hashedEnd = size - FOOTER_BYTES + HASHED_FOOTER_BYTES;
  const seal = checker.sealOf(object);
  const units = seal === undefined ? undefined : await readTable(store, object, footer, seal);

  const pass = new ObjectPass(checker, object, runner, seal);
  let at = 0;
  for (const batch of batches(units ?? [])) {
    const end = batch.reduce((sum, unit) => sum + unit.length, batch[0]?.offset ?? 0);
    await pass.read(at, end - at, batch);
    at = end;
  }
  await pass.rest(at, hashedEnd);
  const isWhole = (await pass.digest()).equals(footer.sha256);
  const found = (units ?? []).filter(({ offset }) => pass.wrong.has(offset));
  if (isWhole && found.length === 0) return [];

  const overlays = await checker.repairsOf(object);
  if (overlays.length > 0 && (await isWholeWith(overlays))) return [];
  if (found.length === 0 && units !== undefined) {
    // All units open: what differs is what no restore reads.
    const { contentsOffset: offset } = footer;
    return [{ reason: 'checksum', offset, length: size - offset }];
  }
  if (units === undefined) return [{ reason: 'checksum' }];
  const left = [];
  for (const unit of found) if (!(await isRepaired(unit))) left.push(unit);
  return left.map(({ offset, length }) => ({ reason: 'checksum', offset, length }));

  /** Is the object what it was, with what replaces its damaged parts? Needs no key. */
  async function isWholeWith(overlays: readonly RepairOverlay[]): Promise<boolean> {
    const mended = new ObjectPass(checker, object, runner, undefined, overlays);
    await mended.rest(0, hashedEnd);
    return (await mended.digest()).equals(footer?.sha256 ?? Buffer.alloc(0));
  }

  async function isRepaired({ offset, length }: UnitSpan): Promise<boolean> {
    const overlay = overlays.find((candidate) => candidate.offset === offset);
    if (overlay === undefined || seal === undefined) return false;
    try {
      const bytes = await store.read(overlay.name, 0, length);
      return unitSeal(seal.identity, seal.secret).open(bytes, offset) !== undefined;
    } catch (error) {
      if (error instanceof ObjectMissingError) return false;
      throw error;
    }
  }
}
