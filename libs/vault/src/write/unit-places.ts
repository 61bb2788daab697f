import type { UnitPlace } from '../container/object-series-writer.ts';
import { GENERATION_BLOCKS } from './station/recent-blocks.ts';

/**
 * Units whose place is remembered. A unit can be referred to while a block of it is among the recent ones, and each unit
 * was begun for such a block, so this is enough with room to spare.
 */
const REMEMBERED = GENERATION_BLOCKS * 4;

/** Where units have come to lie; units are known by their numbers before that. */
export class UnitPlaces {
  private readonly volume: number;
  private readonly units = new Float64Array(REMEMBERED);
  private readonly objects = new Uint32Array(REMEMBERED);
  private readonly offsets = new Float64Array(REMEMBERED);
  private readonly lengths = new Uint32Array(REMEMBERED);
  private readonly waiting = new Map<number, PromiseWithResolvers<UnitPlace>>();
  private failure: Error | undefined;
  /** What was found last: blocks of a unit come one after another. */
  private last: { readonly number: number; readonly place: UnitPlace } | undefined;

  constructor(volume: number) {
    this.volume = volume;
  }

  /** Where a unit lies, if it lies somewhere yet. */
  find(unit: number): UnitPlace | undefined {
    if (this.last?.number === unit) return this.last.place;
    const at = unit % REMEMBERED;
    if (this.units[at] !== unit) return undefined;
    const place = {
      volume: this.volume,
      object: this.objects[at] as number,
      offset: this.offsets[at] as number,
      length: this.lengths[at] as number,
    };
    this.last = { number: unit, place };
    return place;
  }

  async of(unit: number): Promise<UnitPlace> {
    const found = this.find(unit);
    if (found !== undefined) return found;
    if (this.failure !== undefined) throw this.failure;
    let waiting = this.waiting.get(unit);
    if (waiting === undefined) {
      waiting = Promise.withResolvers<UnitPlace>();
      waiting.promise.catch(() => undefined); // whoever waits gets it
      this.waiting.set(unit, waiting);
    }
    return waiting.promise;
  }

  placed(unit: number, object: number, offset: number, length: number): void {
    const at = unit % REMEMBERED;
    this.units[at] = unit;
    this.objects[at] = object;
    this.offsets[at] = offset;
    this.lengths[at] = length;
    this.waiting.get(unit)?.resolve({ volume: this.volume, object, offset, length });
    this.waiting.delete(unit);
  }

  /** No more units will be placed. */
  fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.values()) reject(this.failure);
    this.waiting.clear();
  }
}
