import type { ObjectIdentity, ObjectKind } from '../container/object-header.ts';
import type { Manifest, ObjectRanges, Volume } from '../port/manifest.ts';
import type { CollectionLayout } from '../repository/layout.ts';
import { objectName } from '../repository/layout.ts';

/** One object that backups need. */
export interface NeededObject {
  readonly name: string;
  readonly identity: ObjectIdentity;
  /** Bytes, when the manifest of the owning backup is there to say so. */
  readonly size: number | undefined;
  /** Ids of the backups that need it. */
  readonly backups: string[];
}

const SERIES: readonly (readonly [ObjectKind, 'packs' | 'maps' | 'tree'])[] = [
  ['pack', 'packs'],
  ['map', 'maps'],
  ['tree', 'tree'],
];

function* numbers(ranges: ObjectRanges): Iterable<number> {
  for (const [first, last] of ranges) for (let number = first; number <= last; number++) yield number;
}

/** Sizes of all objects that the manifests list, by volume id. */
function sizesByVolume(manifests: readonly Manifest[]): Map<string, Volume> {
  const owners = new Map<string, Volume>();
  for (const manifest of manifests)
    for (const volume of manifest.volumes) if (volume.packs !== undefined) owners.set(volume.id, volume);
  return owners;
}

/**
 * Every object that some of the backups need, once, from manifests alone.
 * @param known all manifests of the collection, for the sizes
 */
export function neededObjects(
  layout: CollectionLayout,
  backups: readonly Manifest[],
  known: readonly Manifest[],
): NeededObject[] {
  const owners = sizesByVolume(known);
  const objects = new Map<string, NeededObject>();
  for (const { backup, volumes } of backups)
    for (const volume of volumes) {
      const folder = layout.volume(volume.folder, volume.run, volume.attempt, volume.id);
      for (const [kind, series] of SERIES)
        for (const number of numbers(volume.needs[series])) {
          const name = folder + objectName(kind, number);
          const size = owners.get(volume.id)?.[series]?.sizes[number - 1];
          // Never became durable: what an interrupted attempt closed later may have, so a range goes over it.
          if (size === 0) continue;
          const { id, origin, key } = volume;
          const identity = { kind, number, volume: id, origin, ...(key === undefined ? {} : { key }) };
          const object = objects.get(name) ?? { name, identity, size, backups: [] };
          object.backups.push(backup);
          objects.set(name, object);
        }
    }
  return [...objects.values()];
}
