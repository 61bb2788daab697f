import type { UnitPlace } from '../../container/object-series-writer.ts';
import { sealOf } from '../../container/readable-volume.ts';
import type { ReadableVolume } from '../../container/readable-volume.ts';
import { MAX_SEALED_BYTES } from '../../container/unit-fetcher.ts';
import { samePlace } from '../../map/leaf-page.ts';
import type { Stretch } from '../../map/stretch.ts';
import type { ObjectStore } from '../../port/object-store.ts';
import type { LeasedPlan, PlannedObject } from './content-plan.ts';

/** A plan is closed before it asks for more than this: what carries it out holds that much in memory. */
const MAX_CONTENT_BYTES = 4 * 1024 * 1024;
const MAX_SEALED_IN_ALL = 8 * 1024 * 1024;
const MAX_STRETCHES = 512;
const MAX_OBJECTS = 160;

/** What does not end in a plan, because it must be read in another way: then that says what is wrong. */
export class UnplannableError extends Error {}

/** Units of a plan, by name. */
export type PlannedUnits = Pick<ReadonlyMap<string, number>, 'has'>;

/** Collects stretches of content into one plan. */
export class PlanBuilder {
  private readonly store: ObjectStore;
  private readonly volumes: ReadonlyMap<number, ReadableVolume>;
  private readonly objects: UnitPlace[] = [];
  private readonly objectNumbers = new Map<string, number>();
  private readonly unitNumbers = new Map<string, number>();
  private readonly units: number[] = [];
  private readonly stretches: number[] = [];
  private bytes = 0;
  private dataBytes = 0;
  private newSealedBytes = 0;
  /** Content that follows mostly lies in the same unit. */
  private last: { readonly place: UnitPlace; readonly number: number } | undefined;
  private readonly unitsBefore: PlannedUnits | undefined;

  /** @param unitsBefore what the plan before has read, which the thread that goes on with this one has at hand */
  constructor(store: ObjectStore, volumes: ReadonlyMap<number, ReadableVolume>, unitsBefore?: PlannedUnits) {
    this.store = store;
    this.volumes = volumes;
    this.unitsBefore = unitsBefore;
  }

  /** The units that are in it so far. */
  get plannedUnits(): PlannedUnits {
    return this.unitNumbers;
  }

  get isFull(): boolean {
    return (
      this.dataBytes >= MAX_CONTENT_BYTES ||
      this.newSealedBytes >= MAX_SEALED_IN_ALL ||
      this.stretches.length >= MAX_STRETCHES * 3 ||
      this.objects.length >= MAX_OBJECTS
    );
  }

  get isEmpty(): boolean {
    return this.stretches.length === 0;
  }

  /** @throws UnplannableError */
  add({ unit, start, size }: Stretch): void {
    this.stretches.push(unit === undefined ? 0 : 1 + this.unitNumber(unit), start, size);
    this.bytes += size;
    if (unit !== undefined) this.dataBytes += size;
  }

  private unitNumber(place: UnitPlace): number {
    if (this.last !== undefined && samePlace(this.last.place, place)) return this.last.number;
    if (place.length > MAX_SEALED_BYTES) throw new UnplannableError();
    const name = `${place.volume}/${place.object}/${place.offset}/${place.length}`;
    let number = this.unitNumbers.get(name);
    if (number === undefined) {
      number = this.unitNumbers.size;
      this.unitNumbers.set(name, number);
      this.units.push(this.objectNumber(place), place.offset, place.length);
      if (this.unitsBefore?.has(name) !== true) this.newSealedBytes += place.length;
    }
    this.last = { place, number };
    return number;
  }

  private objectNumber(place: UnitPlace): number {
    const name = `${place.volume}/${place.object}`;
    let number = this.objectNumbers.get(name);
    if (number === undefined) {
      number = this.objects.length;
      this.objectNumbers.set(name, number);
      this.objects.push(place);
    }
    return number;
  }

  /** Opens the objects. @throws UnplannableError when one is not there, or the store has no files */
  async finish(): Promise<LeasedPlan> {
    const leases: { descriptor: number; release: () => Promise<void> }[] = [];
    const release = async () => {
      for (const lease of leases.splice(0)) await lease.release();
    };
    try {
      const objects: PlannedObject[] = [];
      for (const { volume: number, object } of this.objects) {
        const volume = this.volumes.get(number);
        const lease = volume && (await this.store.openDescriptor?.(volume.nameOf('pack', object)));
        if (volume === undefined || lease === undefined) throw new UnplannableError();
        leases.push(lease);
        objects.push({ ...sealOf(volume, 'pack', object), descriptor: lease.descriptor });
      }
      const plan = {
        objects,
        units: Float64Array.from(this.units),
        stretches: Float64Array.from(this.stretches),
      };
      return {
        plan,
        bytes: this.bytes,
        dataBytes: this.dataBytes,
        sealedBytes: this.newSealedBytes,
        release,
      };
    } catch (error) {
      await release();
      throw error;
    }
  }
}
