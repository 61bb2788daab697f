import fs from 'node:fs';
import { MalformedBytesError } from '../../codec/byte-reader.ts';
import { RecentSeals } from '../../container/open-units.ts';
import { runsOf } from '../../container/unit-batch.ts';
import { decodeUnitHere } from '../../container/unit-codec.ts';
import type { ContentPlan, PlannedObject } from './content-plan.ts';
import { PLAN_WORDS } from './content-plan.ts';

/** A unit cannot be had as planned; the backup's reader says why, or mends it from a repair overlay. */
export class UnreadableUnitError extends Error {
  constructor(cause?: unknown) {
    super('a unit cannot be read as planned', cause === undefined ? {} : { cause });
    this.name = 'UnreadableUnitError';
  }
}

/** Bytes that follow each other, or so many zeros. Bytes are valid until the next piece is asked for. */
export type PlannedPiece = Buffer | number;

interface Opened {
  readonly plain: Buffer;
  used: number;
}

interface WantedUnit {
  readonly name: string;
  readonly object: PlannedObject;
  readonly place: {
    readonly volume: 0;
    readonly object: 0;
    readonly offset: number;
    readonly length: number;
  };
  sealed?: Buffer;
}

/** Carries out plans on the thread it is on: reads, unseals and decompresses; keeps the units that were used last. */
export class PlanReader {
  private readonly seals = new RecentSeals();
  private readonly cache = new Map<string, Opened>();
  private readonly cacheLimit: number;
  private cached = 0;
  private turn = 0;
  private scratch = Buffer.alloc(0);

  /** @param cacheBytes of units that may be kept for plans to come */
  constructor(cacheBytes: number) {
    this.cacheLimit = cacheBytes;
  }

  /**
   * Begins a plan: what it needs of objects is read. Only one plan can be carried out at a time.
   * @throws UnreadableUnitError
   */
  begin(plan: ContentPlan): PlanPass {
    const wanted = this.wantedOf(plan);
    this.readSealed(wanted.filter(({ name }) => !this.cache.has(name)));
    return new PlanPass(plan.stretches, (unit) => this.open(wanted[unit]));
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

  /** All reads go into one buffer, which is used again for the next plan. */
  private readSealed(missing: readonly WantedUnit[]): void {
    const runs = [...Map.groupBy(missing, ({ object }) => object).values()].flatMap((units) => [
      ...runsOf(units),
    ]);
    const bytes = runs.reduce((sum, { start, end }) => sum + end - start, 0);
    if (this.scratch.length < bytes) this.scratch = Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    for (const { start, end, units } of runs) {
      const into = this.scratch.subarray(at, at + end - start);
      at += into.length;
      const descriptor = units[0]?.object.descriptor ?? -1;
      const length = readFully(descriptor, into, start);
      for (const unit of units) {
        const from = unit.place.offset - start;
        if (from + unit.place.length > length) throw new UnreadableUnitError();
        unit.sealed = into.subarray(from, from + unit.place.length);
      }
    }
  }

  private open(unit: WantedUnit | undefined): Buffer {
    if (unit === undefined) throw new UnreadableUnitError();
    const known = this.cache.get(unit.name);
    if (known !== undefined) {
      known.used = ++this.turn;
      this.cache.delete(unit.name);
      this.cache.set(unit.name, known);
      return known.plain;
    }
    const plain = this.opened(unit);
    this.cache.set(unit.name, { plain, used: ++this.turn });
    this.cached += plain.length;
    this.trim();
    return plain;
  }

  private opened({ object, place, sealed }: WantedUnit): Buffer {
    const seal = this.seals.of(object);
    // Read again when it was kept as the plan began and has had to go since.
    const bytes = sealed ?? sealedAgain(object, place);
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

  private trim(): void {
    for (const [name, { plain }] of this.cache) {
      // The newest is being used.
      if (this.cached <= this.cacheLimit || this.cache.size === 1) return;
      this.cache.delete(name);
      this.cached -= plain.length;
      freeMemory(plain);
    }
  }

  /** Forgets what is kept. */
  clear(): void {
    for (const { plain } of this.cache.values()) freeMemory(plain);
    this.cache.clear();
    this.cached = 0;
  }
}

/** One plan being carried out, front to back. */
export class PlanPass {
  private readonly stretches: Float64Array;
  private readonly unit: (number: number) => Buffer;
  private at = 0;

  constructor(stretches: Float64Array, unit: (number: number) => Buffer) {
    this.stretches = stretches;
    this.unit = unit;
  }

  /**
   * The next stretches; by default all that are left.
   * @throws UnreadableUnitError
   */
  *pieces(count = Number.POSITIVE_INFINITY): Iterable<PlannedPiece> {
    for (let left = count; left > 0 && this.at < this.stretches.length; left--) {
      const [unit = 0, start = 0, size = 0] = this.stretches.subarray(this.at, this.at + PLAN_WORDS);
      this.at += PLAN_WORDS;
      if (unit === 0) {
        yield size;
        continue;
      }
      const plain = this.unit(unit - 1);
      if (start + size > plain.length) throw new UnreadableUnitError();
      yield plain.subarray(start, start + size);
    }
  }

  /** Passes over stretches of content that is not wanted after all. */
  skipTo(stretch: number): void {
    this.at = stretch * PLAN_WORDS;
  }
}

function sealedAgain(object: PlannedObject, place: WantedUnit['place']): Buffer {
  const bytes = Buffer.allocUnsafeSlow(place.length);
  if (readFully(object.descriptor, bytes, place.offset) < place.length) throw new UnreadableUnitError();
  return bytes;
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
