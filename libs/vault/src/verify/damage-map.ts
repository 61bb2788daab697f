import type { UnitPlace } from '../container/object-series-writer.ts';
import type { Damage } from '../error/damaged-object-error.ts';

/** Files named per damage; more are only counted. */
const MAX_FILES = 1000;

interface Hit {
  readonly damage: Damage;
  readonly backups: Set<string>;
  readonly files: Set<string>;
  more: number;
}

/** Collects damages and who is hit by them. */
export class DamageMap {
  private readonly byObject = new Map<string, Hit[]>();

  add(damage: Damage): void {
    const hits = this.byObject.get(damage.object) ?? [];
    const known = hits.find(({ damage: other }) => other.offset === damage.offset);
    const hit = known ?? { damage, backups: new Set(), files: new Set(), more: 0 };
    if (known === undefined) hits.push(hit);
    this.byObject.set(damage.object, hits);
    for (const backup of damage.backups) hit.backups.add(backup);
    for (const file of damage.files) this.name(hit, file);
  }

  get isEmpty(): boolean {
    return this.byObject.size === 0;
  }

  private name(hit: Hit, file: string): void {
    if (hit.files.has(file)) return;
    if (hit.files.size < MAX_FILES) hit.files.add(file);
    else hit.more++;
  }

  /** Notes that a file of a backup needs a unit; returns whether that is damaged. */
  needs(object: string, place: UnitPlace, backup: string, file: string): boolean {
    let isHit = false;
    for (const hit of this.byObject.get(object) ?? []) {
      const { offset, length = 0 } = hit.damage;
      const apart =
        offset !== undefined && (place.offset + place.length <= offset || place.offset >= offset + length);
      if (apart) continue;
      isHit = true;
      hit.backups.add(backup);
      this.name(hit, file);
    }
    return isHit;
  }

  list(): Damage[] {
    return [...this.byObject.values()].flat().map(({ damage, backups, files, more }) => ({
      ...damage,
      backups: [...backups].sort(),
      files: [...files],
      ...(more === 0 ? {} : { moreFiles: more }),
    }));
  }
}
