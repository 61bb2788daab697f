import fs from 'node:fs';
import { MalformedBytesError } from '../../codec/byte-reader.ts';
import { RecentSeals } from '../../container/open-units.ts';
import { decodeUnitHere } from '../../container/unit-codec.ts';
import type { ContentPlan, PlannedObject } from './content-plan.ts';
import { PLAN_WORDS } from './content-plan.ts';

/** Content in more units than these is put together before it is handed out. */
const FEW_UNITS = 48;
/** A unit that so many plans did not need has been overtaken by newer ones in what still comes. */
const PLANS_KEPT = 8;
/** No more is put together; a plan that was honestly made has no more. */
const MAX_GATHERED_BYTES = 16 * 1024 * 1024;

/** The part of what may be kept that is for units whose end has been handed out: content may repeat itself. */
const SPENT_SHARE = 1 / 8;

/** A unit cannot be had as planned; the backup's reader says why, or mends it from a repair overlay. */
export class UnreadableUnitError extends Error {
  constructor(cause?: unknown) {
    super('a unit cannot be read as planned', cause === undefined ? {} : { cause });
    this.name = 'UnreadableUnitError';
  }
}

/** Bytes that follow each other, or so many zeros. Bytes are valid until the next piece is asked for. */
export type PlannedPiece = Buffer | number;

interface WantedUnit {
  readonly name: string;
  readonly object: PlannedObject;
  readonly place: {
    readonly volume: 0;
    readonly object: 0;
    readonly offset: number;
    readonly length: number;
  };
}

interface OpenUnit {
  readonly plain: Buffer;
  /** Whether its end has been handed out: content takes what is in a unit from front to back. */
  isSpent: boolean;
  /** The plan that used it last. */
  plan: number;
}

/** Carries out plans on the thread it is on: reads, unseals and decompresses; keeps the units that were used last. */
export class PlanReader {
  private readonly seals = new RecentSeals();
  /** What still comes is likely to be in these. */
  private readonly cache = new OpenUnits();
  private readonly spent = new OpenUnits();
  private readonly cacheLimit: number;
  private sealed = Buffer.alloc(0);
  private plans = 0;
  private together = Buffer.alloc(0);

  /** @param cacheBytes of units that may be kept for plans to come */
  constructor(cacheBytes: number) {
    this.cacheLimit = cacheBytes;
  }

  /**
   * Begins a plan. Only one can be carried out at a time.
   * @throws UnreadableUnitError
   */
  begin(plan: ContentPlan): PlanPass {
    const wanted = this.wantedOf(plan);
    this.plans++;
    this.cache.forget((unit) => unit.plan < this.plans - PLANS_KEPT);
    const isScattered = wanted.length > FEW_UNITS;
    return (isScattered ? this.gathered(plan, wanted) : undefined) ?? this.direct(plan, wanted);
  }

  /** Pieces lie in the units themselves. */
  private direct({ stretches }: ContentPlan, wanted: readonly WantedUnit[]): PlanPass {
    return new PlanPass(stretches, false, (at, size) =>
      this.part(wanted[(stretches[at] ?? 0) - 1], stretches[at + 1] ?? 0, size),
    );
  }

  /**
   * Content that is scattered over many units is put together unit by unit: each of them is opened once then, however few
   * may be kept. `undefined` for what is too much to be put together.
   */
  private gathered({ stretches }: ContentPlan, wanted: readonly WantedUnit[]): PlanPass | undefined {
    const offsets = new Float64Array(stretches.length / PLAN_WORDS);
    const byUnit: number[][] = wanted.map(() => []);
    let bytes = 0;
    for (let at = 0; at < stretches.length; at += PLAN_WORDS) {
      offsets[at / PLAN_WORDS] = bytes;
      const unit = stretches[at] ?? 0;
      if (unit === 0) continue;
      byUnit[unit - 1]?.push(at);
      bytes += stretches[at + 2] ?? 0;
    }
    if (bytes > MAX_GATHERED_BYTES) return undefined;
    if (this.together.length < bytes) this.together = Buffer.allocUnsafeSlow(bytes);
    const isAtHand = wanted.map(({ name }) => this.isOpen(name));
    const gather = (unit: WantedUnit, number: number): void => {
      for (const at of byUnit[number] ?? [])
        this.part(unit, stretches[at + 1] ?? 0, stretches[at + 2] ?? 0).copy(
          this.together,
          offsets[at / PLAN_WORDS],
        );
    };
    // What is at hand comes first, before it has to make room for others.
    for (const [number, unit] of wanted.entries()) if (isAtHand[number] === true) gather(unit, number);
    for (const [number, unit] of wanted.entries()) if (isAtHand[number] !== true) gather(unit, number);
    return new PlanPass(stretches, true, (at, size) => {
      const offset = offsets[at / PLAN_WORDS] ?? 0;
      return this.together.subarray(offset, offset + size);
    });
  }

  private wantedOf({ objects, units }: ContentPlan): WantedUnit[] {
    const wanted: WantedUnit[] = [];
    for (let at = 0; at < units.length; at += PLAN_WORDS) {
      const object = objects[units[at] ?? 0];
      const [offset = 0, length = 0] = [units[at + 1], units[at + 2]];
      if (object === undefined) throw new UnreadableUnitError();
      const { volume, number } = object.identity;
      const name = `${volume}/${number}/${offset}/${length}`;
      wanted.push({ name, object, place: { volume: 0, object: 0, offset, length } });
    }
    return wanted;
  }

  private isOpen(name: string): boolean {
    return this.cache.has(name) || this.spent.has(name);
  }

  /** Valid until the next part is asked for. */
  private part(wanted: WantedUnit | undefined, start: number, size: number): Buffer {
    if (wanted === undefined) throw new UnreadableUnitError();
    const { name } = wanted;
    const unit = this.cache.take(name) ?? this.spent.take(name) ?? newlyOpened(this.opened(wanted));
    if (start + size > unit.plain.length) throw new UnreadableUnitError();
    unit.plan = this.plans;
    unit.isSpent ||= start + size === unit.plain.length;
    // The newest is being used, and stays.
    if (unit.isSpent) this.spent.add(name, unit, this.cacheLimit * SPENT_SHARE);
    else this.cache.add(name, unit, this.cacheLimit);
    return unit.plain.subarray(start, start + size);
  }

  private opened({ object, place }: WantedUnit): Buffer {
    const seal = this.seals.of(object);
    const bytes = this.read(object, place);
    const unsealed = seal.open(bytes, place.offset);
    if (unsealed === undefined) throw new UnreadableUnitError();
    try {
      const plain = decodeUnitHere(unsealed);
      if (plain.buffer !== unsealed.buffer && unsealed.buffer !== bytes.buffer) freeMemory(unsealed);
      // What is not encrypted lies in the buffer of what was read, which is used again.
      return plain.buffer === bytes.buffer ? Buffer.from(plain) : plain;
    } catch (error) {
      if (error instanceof MalformedBytesError) throw new UnreadableUnitError(error);
      throw error;
    }
  }

  /** All units are read into one buffer. */
  private read(object: PlannedObject, { offset, length }: WantedUnit['place']): Buffer {
    if (this.sealed.length < length) this.sealed = Buffer.allocUnsafeSlow(length);
    const into = this.sealed.subarray(0, length);
    if (readFully(object.descriptor, into, offset) < length) throw new UnreadableUnitError();
    return into;
  }
}

/** Units by name, the one that was added last at the end. */
class OpenUnits {
  private readonly units = new Map<string, OpenUnit>();
  private bytes = 0;

  has(name: string): boolean {
    return this.units.has(name);
  }

  take(name: string): OpenUnit | undefined {
    const unit = this.units.get(name);
    if (unit === undefined) return undefined;
    this.units.delete(name);
    this.bytes -= unit.plain.length;
    return unit;
  }

  /** Lets go of those at the front, which were not used for longest. */
  forget(isOld: (unit: OpenUnit) => boolean): void {
    for (const [name, unit] of this.units) {
      if (!isOld(unit)) return;
      this.take(name);
      freeMemory(unit.plain);
    }
  }

  /** Adds one; others go, the oldest first, when all of them are more bytes than the limit. */
  add(name: string, unit: OpenUnit, limit: number): void {
    for (const [oldest, { plain }] of this.units) {
      if (this.bytes + unit.plain.length <= limit) break;
      this.take(oldest);
      freeMemory(plain);
    }
    this.units.set(name, unit);
    this.bytes += unit.plain.length;
  }
}

function newlyOpened(plain: Buffer): OpenUnit {
  return { plain, isSpent: false, plan: 0 };
}

/** One plan being carried out, front to back. */
export class PlanPass {
  private readonly stretches: Float64Array;
  /** Whether stretches of data that follow each other lie together in memory too. */
  private readonly isTogether: boolean;
  private readonly bytesAt: (at: number, size: number) => Buffer;
  private at = 0;

  constructor(stretches: Float64Array, isTogether: boolean, bytesAt: (at: number, size: number) => Buffer) {
    this.stretches = stretches;
    this.isTogether = isTogether;
    this.bytesAt = bytesAt;
  }

  /**
   * The next stretches; by default all that are left.
   * @throws UnreadableUnitError
   */
  *pieces(count = Number.POSITIVE_INFINITY): Iterable<PlannedPiece> {
    for (let left = count; left > 0 && this.at < this.stretches.length; left--) {
      const { at } = this;
      let size = this.stretches[at + 2] ?? 0;
      this.at += PLAN_WORDS;
      if (this.stretches[at] === 0) {
        yield size;
        continue;
      }
      for (; this.isTogether && left > 1 && this.isData(this.at); left--) {
        size += this.stretches[this.at + 2] ?? 0;
        this.at += PLAN_WORDS;
      }
      yield this.bytesAt(at, size);
    }
  }

  private isData(at: number): boolean {
    return (this.stretches[at] ?? 0) > 0;
  }

  /** Passes over stretches of content that is not wanted after all. */
  skipTo(stretch: number): void {
    this.at = stretch * PLAN_WORDS;
  }
}

function readFully(descriptor: number, into: Buffer, position: number): number {
  try {
    let done = 0;
    while (done < into.length) {
      const read = fs.readSync(descriptor, into, done, into.length - done, position + done);
      if (read === 0) break;
      done += read;
    }
    return done;
  } catch (error) {
    throw new UnreadableUnitError(error);
  }
}

/** Returns memory at once; the collector would let much of it pile up. */
function freeMemory(bytes: Buffer): void {
  const { buffer } = bytes;
  // What is small lies in memory that is shared with others.
  if (buffer instanceof ArrayBuffer && buffer.byteLength - bytes.byteLength <= 64) buffer.transfer(0);
}
