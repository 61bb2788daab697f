import { MalformedBytesError } from '../codec/byte-reader.ts';
import type { Damage } from '../error/damaged-object-error.ts';
import { DamagedObjectError } from '../error/damaged-object-error.ts';
import { ObjectMissingError } from '../error/object-missing-error.ts';
import type { ObjectStore } from '../port/object-store.ts';
import type { ObjectIdentity, ObjectKind } from './object-header.ts';
import type { UnitPlace } from './object-series-writer.ts';
import type { UnitRun } from './unit-batch.ts';
import { runsOf } from './unit-batch.ts';
import { decodeUnit, MAX_UNIT_BYTES } from './unit-codec.ts';
import type { UnitSeal } from './unit-seal.ts';
import { unitSeal } from './unit-seal.ts';

/** What a reader must know of a volume to open its objects. */
export interface ReadableVolume {
  readonly number: number;
  readonly id: string;
  readonly origin: string;
  readonly key?: { readonly id: string; readonly secret: Uint8Array };
  readonly nameOf: (kind: ObjectKind, object: number) => string;
  /** Where a repair overlay for a place in an object would lie. */
  readonly repairOf: (kind: ObjectKind, object: number, offset: number) => string;
}

interface WantedUnit {
  readonly kind: ObjectKind;
  readonly place: UnitPlace;
  readonly volume: ReadableVolume;
  readonly resolve: (body: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

/** No sealed unit is longer; a place that says so is not followed. */
const MAX_SEALED_BYTES = MAX_UNIT_BYTES + 1024;

interface CachedUnit {
  readonly loading: Promise<Buffer>;
  bytes: number;
}

/** Reads and verifies units, and keeps the ones used last. Nothing comes out of it that was not verified. */
export class UnitReader {
  private readonly store: ObjectStore;
  private readonly volumes: ReadonlyMap<number, ReadableVolume>;
  private readonly seals = new Map<string, UnitSeal>();
  private readonly cache = new Map<string, CachedUnit>();
  private readonly cacheLimit: number;
  private cached = 0;
  /** What has been asked for in this turn of the event loop and is not being read yet. */
  private wanted: WantedUnit[] = [];

  constructor(store: ObjectStore, volumes: readonly ReadableVolume[], cacheBytes = 48 * 1024 * 1024) {
    this.store = store;
    this.volumes = new Map(volumes.map((volume) => [volume.number, volume]));
    this.cacheLimit = cacheBytes;
  }

  private volume(number: number): ReadableVolume {
    const volume = this.volumes.get(number);
    if (volume === undefined) throw new MalformedBytesError(`the manifest lists no volume ${number}`);
    return volume;
  }

  private seal(volume: ReadableVolume, kind: ObjectKind, object: number): UnitSeal {
    const cacheKey = `${volume.number}/${kind}/${object}`;
    let seal = this.seals.get(cacheKey);
    if (seal === undefined) {
      const identity: ObjectIdentity = {
        kind,
        number: object,
        volume: volume.id,
        origin: volume.origin,
        ...(volume.key === undefined ? {} : { key: volume.key.id }),
      };
      seal = unitSeal(identity, volume.key?.secret);
      if (this.seals.size > 1024) this.seals.clear();
      this.seals.set(cacheKey, seal);
    }
    return seal;
  }

  /** @throws DamagedObjectError */
  read(kind: ObjectKind, place: UnitPlace): Promise<Buffer> {
    const cacheKey = `${kind}/${place.volume}/${place.object}/${place.offset}`;
    const known = this.cache.get(cacheKey);
    if (known !== undefined) {
      this.cache.delete(cacheKey);
      this.cache.set(cacheKey, known);
      return known.loading;
    }
    const unit: CachedUnit = { loading: this.load(kind, place), bytes: 0 };
    this.cache.set(cacheKey, unit);
    unit.loading.then(
      (plain) => {
        if (this.cache.get(cacheKey) !== unit) return;
        unit.bytes = plain.length;
        this.cached += plain.length;
        this.trim();
      },
      () => this.cache.delete(cacheKey),
    );
    return unit.loading;
  }

  /** Forgets what is kept. */
  clear(): void {
    this.cache.clear();
    this.cached = 0;
  }

  private trim(): void {
    for (const [cacheKey, unit] of this.cache) {
      if (this.cached <= this.cacheLimit) return;
      this.cached -= unit.bytes;
      this.cache.delete(cacheKey);
    }
  }

  /** Reads a page and decodes it; what is malformed is reported as damage of its object. */
  async page<T>(kind: ObjectKind, place: UnitPlace, decode: (page: Buffer) => T): Promise<T> {
    const page = await this.load(kind, place);
    try {
      return decode(page);
    } catch (error) {
      if (error instanceof MalformedBytesError) throw this.damaged(kind, place, 'malformed', error);
      throw error;
    }
  }

  /** The error for something wrong at a place. */
  damaged(kind: ObjectKind, place: UnitPlace, reason: Damage['reason'], cause?: unknown): DamagedObjectError {
    const object = this.volume(place.volume).nameOf(kind, place.object);
    const { offset, length } = place;
    return new DamagedObjectError({ object, offset, length, reason, backups: [], files: [] }, cause);
  }

  private async load(kind: ObjectKind, place: UnitPlace): Promise<Buffer> {
    return this.decode(kind, place, await this.body(kind, place));
  }

  /**
   * A unit together with its bytes as they were compressed (one byte for the method first). Nothing of it is kept.
   * @throws DamagedObjectError
   */
  async readWithBody(kind: ObjectKind, place: UnitPlace): Promise<{ plain: Buffer; body: Buffer }> {
    const body = await this.body(kind, place);
    return { plain: await this.decode(kind, place, body), body };
  }

  /** The verified bytes of a unit before they are decompressed. */
  private body(kind: ObjectKind, place: UnitPlace): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const volume = this.volume(place.volume);
      if (place.length > MAX_SEALED_BYTES) throw this.damaged(kind, place, 'malformed');
      if (this.wanted.length === 0) setImmediate(() => this.readWanted());
      this.wanted.push({ kind, place, volume, resolve, reject });
    });
  }

  /** Reads what has been asked for since the last turn; what lies together is read together. */
  private readWanted(): void {
    const byObject = Map.groupBy(this.wanted, ({ kind, place }) => `${kind}/${place.volume}/${place.object}`);
    this.wanted = [];
    for (const units of byObject.values()) for (const run of runsOf(units)) void this.readRun(run);
  }

  private async readRun({ start, end, units }: UnitRun<WantedUnit>): Promise<void> {
    const [first] = units;
    if (first === undefined) return;
    const { kind, volume, place } = first;
    let fetched: Uint8Array | 'missing';
    try {
      fetched = await this.fetch(volume.nameOf(kind, place.object), start, end - start);
    } catch (error) {
      for (const { reject } of units) reject(error);
      return;
    }
    const seal = this.seal(volume, kind, place.object);
    for (const unit of units) {
      const { offset, length } = unit.place;
      const sealed =
        fetched === 'missing' ? fetched : fetched.subarray(offset - start, offset - start + length);
      this.open(unit, sealed, seal).then(unit.resolve, unit.reject);
    }
  }

  private async open(wanted: WantedUnit, sealed: Uint8Array | 'missing', seal: UnitSeal): Promise<Buffer> {
    const { kind, place, volume } = wanted;
    const isWhole = sealed !== 'missing' && sealed.length === place.length;
    let unit = isWhole ? seal.open(sealed, place.offset) : undefined;
    if (unit === undefined) {
      const repair = await this.fetch(volume.repairOf(kind, place.object, place.offset), 0, place.length);
      if (repair !== 'missing') unit = seal.open(repair, place.offset);
    }
    if (unit === undefined)
      throw this.damaged(kind, place, sealed === 'missing' ? sealed : isWhole ? 'checksum' : 'truncated');
    return unit;
  }

  private async decode(kind: ObjectKind, place: UnitPlace, body: Buffer): Promise<Buffer> {
    try {
      return await decodeUnit(body);
    } catch (error) {
      if (error instanceof MalformedBytesError) throw this.damaged(kind, place, 'malformed', error);
      throw error;
    }
  }

  private async fetch(name: string, offset: number, length: number): Promise<Uint8Array | 'missing'> {
    try {
      return await this.store.read(name, offset, length);
    } catch (error) {
      if (error instanceof ObjectMissingError) return 'missing';
      throw error;
    }
  }
}
