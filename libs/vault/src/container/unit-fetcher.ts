import { ObjectMissingError } from '../error/object-missing-error.ts';
import type { ByteRate } from '../limit/rate-limiter.ts';
import type { ObjectStore } from '../port/object-store.ts';
import type { ReadOptions } from '../read/read-options.ts';
import type { ObjectKind } from './object-header.ts';
import type { UnitPlace } from './object-series-writer.ts';
import type { OpenedUnit } from './open-units.ts';
import type { ReadableVolume } from './readable-volume.ts';
import { damageAt, sealOf } from './readable-volume.ts';
import type { UnitRun } from './unit-batch.ts';
import { runsOf } from './unit-batch.ts';
import { MAX_UNIT_BYTES } from './unit-codec.ts';
import { UnitOpener } from './unit-opener.ts';

/** No sealed unit is longer; a place that says so is not followed. */
export const MAX_SEALED_BYTES = MAX_UNIT_BYTES + 1024;

/** A unit as it was before it was compressed and sealed. */
export interface LoadedUnit {
  readonly plain: Buffer;
  /** Nothing else lies in its memory. */
  readonly own: boolean;
}

interface WantedUnit {
  readonly kind: ObjectKind;
  readonly place: UnitPlace;
  readonly volume: ReadableVolume;
  readonly compressed: boolean;
  readonly resolve: (unit: LoadedUnit) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads and opens units; those asked for in one turn of the event loop are read together where they lie together. */
export class UnitFetcher {
  private readonly store: ObjectStore;
  private readonly opener: UnitOpener;
  private readonly rate: ByteRate | undefined;
  private wanted: WantedUnit[] = [];

  constructor(store: ObjectStore, { limits, workers }: ReadOptions = {}) {
    this.store = store;
    this.rate = limits?.read;
    this.opener = new UnitOpener(workers);
  }

  /**
   * @param compressed the unit as it was compressed: one byte for the method and what it gave
   * @throws DamagedObjectError
   */
  load(volume: ReadableVolume, kind: ObjectKind, place: UnitPlace, compressed = false): Promise<LoadedUnit> {
    return new Promise((resolve, reject) => {
      if (place.length > MAX_SEALED_BYTES) throw damageAt(volume, kind, place, 'malformed');
      if (this.wanted.length === 0) setImmediate(() => this.readWanted());
      this.wanted.push({ kind, place, volume, compressed, resolve, reject });
    });
  }

  private readWanted(): void {
    const byObject = Map.groupBy(
      this.wanted,
      ({ kind, place, compressed }) => `${kind}/${place.volume}/${place.object}/${compressed}`,
    );
    this.wanted = [];
    for (const units of byObject.values())
      for (const run of runsOf(units))
        this.readRun(run).catch((error: unknown) => {
          for (const { reject } of run.units) reject(error);
        });
  }

  private async readRun({ start, end, units }: UnitRun<WantedUnit>): Promise<void> {
    const [first] = units;
    if (first === undefined) return;
    const { kind, volume, place, compressed } = first;
    const bytes = await this.fetch(volume.nameOf(kind, place.object), start, end - start);
    if (bytes === undefined) {
      for (const unit of units) this.repaired(unit, undefined).then(unit.resolve, unit.reject);
      return;
    }
    const places = units.map((unit) => ({ offset: unit.place.offset, length: unit.place.length }));
    const sealed = { ...sealOf(volume, kind, place.object), bytes, start, units: places, compressed };
    const { opened, own } = await this.opener.open(sealed);
    for (const [i, unit] of units.entries()) {
      const found = opened[i];
      if (found instanceof Uint8Array) unit.resolve(loaded(found, own));
      else this.repaired(unit, found).then(unit.resolve, unit.reject);
    }
  }

  /** What is damaged may have been replaced by a repair overlay. */
  private async repaired(
    { kind, place, volume, compressed }: WantedUnit,
    damage: Exclude<OpenedUnit, Uint8Array> | undefined,
  ): Promise<LoadedUnit> {
    const bytes = await this.fetch(volume.repairOf(kind, place.object, place.offset), 0, place.length);
    if (bytes !== undefined) {
      const of = sealOf(volume, kind, place.object);
      const sealed = { ...of, bytes, start: place.offset, units: [place], compressed };
      const { opened, own } = await this.opener.open(sealed);
      if (opened[0] instanceof Uint8Array) return loaded(opened[0], own);
    }
    throw damageAt(volume, kind, place, damage?.wrong ?? 'missing', damage?.detail);
  }

  private async fetch(name: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    try {
      await this.rate?.take(length);
      return await this.store.read(name, offset, length);
    } catch (error) {
      if (error instanceof ObjectMissingError) return undefined;
      throw error;
    }
  }

  /** Ends what works for it. */
  close(): Promise<void> {
    return this.opener.close();
  }
}

function loaded(opened: Uint8Array, own: boolean): LoadedUnit {
  return { plain: Buffer.from(opened.buffer, opened.byteOffset, opened.byteLength), own };
}
