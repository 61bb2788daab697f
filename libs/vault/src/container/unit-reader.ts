import { MalformedBytesError } from '../codec/byte-reader.ts';
import type { Damage } from '../error/damaged-object-error.ts';
import { DamagedObjectError } from '../error/damaged-object-error.ts';
import type { ObjectStore } from '../port/object-store.ts';
import type { ReadOptions } from '../read/read-options.ts';
import type { ObjectKind } from './object-header.ts';
import type { UnitPlace } from './object-series-writer.ts';
import type { ReadableVolume } from './readable-volume.ts';
import { damageAt } from './readable-volume.ts';
import type { LoadedUnit } from './unit-fetcher.ts';
import { decodeUnit } from './unit-codec.ts';
import { UnitFetcher } from './unit-fetcher.ts';

export type { ReadableVolume } from './readable-volume.ts';

interface CachedUnit {
  readonly loading: Promise<LoadedUnit>;
  bytes: number;
  /** Who holds it for now. */
  holders: number;
  /** Somebody may keep its bytes for ever. */
  isGivenAway: boolean;
  isCached: boolean;
}

/** A unit for a limited time: its bytes must not be used after `release`. */
export interface HeldUnit {
  /** @throws DamagedObjectError */
  readonly plain: Promise<Buffer>;
  release(): void;
}

/** Reads and verifies units, and keeps the ones used last. Nothing comes out of it that was not verified. */
export class UnitReader {
  private readonly volumes: ReadonlyMap<number, ReadableVolume>;
  private readonly fetcher: UnitFetcher;
  private readonly cache = new Map<string, CachedUnit>();
  private readonly cacheLimit: number;
  private cached = 0;

  constructor(
    store: ObjectStore,
    volumes: readonly ReadableVolume[],
    options: ReadOptions = {},
    cacheBytes = 48 * 1024 * 1024,
  ) {
    this.fetcher = new UnitFetcher(store, options);
    this.volumes = new Map(volumes.map((volume) => [volume.number, volume]));
    this.cacheLimit = cacheBytes;
  }

  /** A place in a volume that the manifest does not list is damage of the page that names it; which one is not known. */
  private volume({ volume: number }: UnitPlace): ReadableVolume {
    const volume = this.volumes.get(number);
    if (volume !== undefined) return volume;
    const object = `volume ${number}, which the manifest does not list`;
    throw new DamagedObjectError({ object, reason: 'malformed', backups: [], files: [] });
  }

  private async load(kind: ObjectKind, place: UnitPlace): Promise<LoadedUnit> {
    return this.fetcher.load(this.volume(place), kind, place);
  }

  private unit(kind: ObjectKind, place: UnitPlace): CachedUnit {
    const name = `${kind}/${place.volume}/${place.object}/${place.offset}/${place.length}`;
    const known = this.cache.get(name);
    if (known !== undefined) {
      this.cache.delete(name);
      this.cache.set(name, known);
      return known;
    }
    const loading = this.load(kind, place);
    const unit: CachedUnit = { loading, bytes: 0, holders: 0, isGivenAway: false, isCached: true };
    this.cache.set(name, unit);
    loading.then(
      ({ plain }) => {
        if (!unit.isCached) return;
        unit.bytes = plain.length;
        this.cached += plain.length;
        this.trim();
      },
      () => {
        if (unit.isCached) this.cache.delete(name);
        unit.isCached = false;
      },
    );
    return unit;
  }

  /** @throws DamagedObjectError */
  async read(kind: ObjectKind, place: UnitPlace): Promise<Buffer> {
    const unit = this.unit(kind, place);
    unit.isGivenAway = true;
    return (await unit.loading).plain;
  }

  /** As `read`, for a limited time, so that the memory can be used again at once. */
  hold(kind: ObjectKind, place: UnitPlace): HeldUnit {
    const unit = this.unit(kind, place);
    unit.holders++;
    const plain = unit.loading.then((loaded) => loaded.plain);
    plain.catch(() => undefined); // thrown to whoever waits for it
    return {
      plain,
      release: () => {
        unit.holders--;
        free(unit);
      },
    };
  }

  /**
   * A unit together with its bytes as they were compressed (one byte for the method first). Nothing of it is kept.
   * @throws DamagedObjectError
   */
  async readWithBody(kind: ObjectKind, place: UnitPlace): Promise<{ plain: Buffer; body: Buffer }> {
    const { plain: body } = await this.fetcher.load(this.volume(place), kind, place, true);
    return { plain: await this.decoded(kind, place, () => decodeUnit(body)), body };
  }

  private async decoded<T>(kind: ObjectKind, place: UnitPlace, decode: () => T | Promise<T>): Promise<T> {
    try {
      return await decode();
    } catch (error) {
      if (!(error instanceof MalformedBytesError)) throw error;
      throw damageAt(this.volume(place), kind, place, 'malformed', error.message);
    }
  }

  /** Reads a page and decodes it; what is malformed is reported as damage of its object. */
  async page<T>(kind: ObjectKind, place: UnitPlace, decode: (page: Buffer) => T): Promise<T> {
    const { plain } = await this.load(kind, place);
    return this.decoded(kind, place, () => decode(plain));
  }

  /** The error for something wrong at a place. */
  damaged(kind: ObjectKind, place: UnitPlace, reason: Damage['reason']): DamagedObjectError {
    return damageAt(this.volume(place), kind, place, reason);
  }

  private trim(): void {
    for (const [name, unit] of this.cache) {
      if (this.cached <= this.cacheLimit) return;
      this.cached -= unit.bytes;
      this.cache.delete(name);
      unit.isCached = false;
      free(unit);
    }
  }

  /** Forgets what is kept, and ends what works for it. */
  async close(): Promise<void> {
    this.cache.clear();
    this.cached = 0;
    await this.fetcher.close();
  }
}

/** Gives the memory of a unit back that nobody can come to any more, sooner than the collector would. */
function free(unit: CachedUnit): void {
  if (unit.isCached || unit.holders > 0 || unit.isGivenAway) return;
  unit.loading.then(
    ({ plain, own }) => {
      if (own && plain.buffer instanceof ArrayBuffer) plain.buffer.transfer(0);
    },
    () => undefined,
  );
}
