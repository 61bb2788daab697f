import type { ReadableVolume } from '../../container/readable-volume.ts';
import { DamagedObjectError } from '../../error/damaged-object-error.ts';
import { ObjectMissingError } from '../../error/object-missing-error.ts';
import type { ByteRate } from '../../limit/rate-limiter.ts';
import { StoredContent } from '../../map/content-ref.ts';
import type { MapReader } from '../../map/map-reader.ts';
import { stretchesOfBlocks } from '../../map/stretch.ts';
import type { ContentPlanner } from '../../port/backup-reader.ts';
import type { StoredEntry } from '../../port/entry.ts';
import type { ObjectStore } from '../../port/object-store.ts';
import type { LeasedPlan } from './content-plan.ts';
import { PlanBuilder, type PlannedUnits, UnplannableError } from './plan-builder.ts';

/** Content up to this size is planned together with other content. */
const SMALL_BYTES = 256 * 1024;

export interface PlannerParts {
  readonly store: ObjectStore;
  readonly volumes: readonly ReadableVolume[];
  readonly backup: string;
  readonly mapOf: (entry: StoredEntry) => MapReader | undefined;
  readonly rate: ByteRate | undefined;
}

/** Plans content whose objects are files of this machine and whose whole has a hash. Anything else is left to the reader. */
export class FileContentPlanner implements ContentPlanner {
  private readonly parts: PlannerParts;
  private readonly volumes: ReadonlyMap<number, ReadableVolume>;

  constructor(parts: PlannerParts) {
    this.parts = parts;
    this.volumes = new Map(parts.volumes.map((volume) => [volume.number, volume]));
  }

  canPlan({ content }: StoredEntry): boolean {
    return content instanceof StoredContent && content.sha256 !== undefined;
  }

  isSmall(entry: StoredEntry): boolean {
    const { content } = entry;
    return (
      this.canPlan(entry) &&
      content instanceof StoredContent &&
      content.backup === this.parts.backup &&
      content.layout.kind === 'inline' &&
      content.size <= BigInt(SMALL_BYTES)
    );
  }

  private builder(unitsBefore?: PlannedUnits): PlanBuilder {
    return new PlanBuilder(this.parts.store, this.volumes, unitsBefore);
  }

  async together(
    entries: readonly StoredEntry[],
  ): Promise<(LeasedPlan & { readonly counts: readonly number[] }) | undefined> {
    try {
      const builder = this.builder();
      const counts = entries.map(({ content }) => {
        if (!(content instanceof StoredContent) || content.layout.kind !== 'inline')
          throw new UnplannableError();
        const stretches = stretchesOfBlocks(content.layout.blocks);
        for (const stretch of stretches) builder.add(stretch);
        return stretches.length;
      });
      const leased = await this.taken(builder);
      return { ...leased, counts };
    } catch (error) {
      if (leavesToReader(error)) return undefined;
      throw error;
    }
  }

  async *plans(entry: StoredEntry): AsyncIterable<LeasedPlan | undefined> {
    try {
      let builder = this.builder();
      for await (const stretches of this.parts.mapOf(entry)?.stretches() ?? [])
        for (const stretch of stretches) {
          builder.add(stretch);
          if (!builder.isFull) continue;
          yield await this.taken(builder);
          builder = this.builder(builder.plannedUnits);
        }
      if (!builder.isEmpty) yield await this.taken(builder);
    } catch (error) {
      if (!leavesToReader(error)) throw error;
      yield undefined;
    }
  }

  private async taken(builder: PlanBuilder): Promise<LeasedPlan> {
    const leased = await builder.finish();
    try {
      await this.parts.rate?.take(leased.sealedBytes);
    } catch (error) {
      await leased.release();
      throw error;
    }
    return leased;
  }
}

/** The reader meets the same, mends it from a repair overlay if there is one, and names it otherwise. */
function leavesToReader(error: unknown): boolean {
  return (
    error instanceof UnplannableError ||
    error instanceof DamagedObjectError ||
    error instanceof ObjectMissingError
  );
}
