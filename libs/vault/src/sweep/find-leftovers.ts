import type { Manifest, ObjectRanges, Volume } from '../port/manifest.ts';
import type { StoredObject } from '../port/object-store.ts';
import { backupFolders, findBackups } from '../repository/backup-finder.ts';
import type { CollectionContext } from '../repository/collection-context.ts';
import { objectName, partsOfObject, runOfVolume } from '../repository/layout.ts';

/** Objects of one run in one folder that no manifest knows. */
export interface RunLeftovers {
  readonly run: string;
  readonly folder: string;
  /** Whether the folder holds the run's manifest: then the run has its backup, and others can only adopt it. */
  readonly hasManifest: boolean;
  readonly objects: readonly StoredObject[];
}

/** A collection's leftovers, or the manifest that keeps them from being told. */
export type FoundLeftovers =
  { readonly leftovers: readonly RunLeftovers[] } | { readonly unreadable: string };

/**
 * What attempts have written that no manifest lists. Objects are listed before manifests are read: what a manifest lists
 * was there before it, so nothing that is found can be listed by one that is written meanwhile, unless by its own run.
 */
export async function findLeftovers(context: CollectionContext): Promise<FoundLeftovers> {
  const candidates: { run: string; folder: string; objects: StoredObject[] }[] = [];
  for await (const folder of backupFolders(context)) candidates.push(...(await volumesIn(context, folder)));
  if (candidates.length === 0) return { leftovers: [] };
  const listed = new Set<string>();
  const finished = new Set<string>();
  for await (const found of findBackups(context)) {
    if (!('manifest' in found)) return { unreadable: found.name };
    finished.add(found.manifest.folder);
    for (const name of objectsListedBy(context, found.manifest)) listed.add(name);
  }
  const leftovers: RunLeftovers[] = [];
  for (const { run, folder, objects } of candidates) {
    const unlisted = objects.filter(({ name }) => !listed.has(name));
    if (unlisted.length > 0)
      leftovers.push({ run, folder, hasManifest: finished.has(folder), objects: unlisted });
  }
  return { leftovers };
}

/** Everything that attempts have written into a folder, by run. What looks like nothing of ours is not looked at. */
async function volumesIn(
  { store, layout }: CollectionContext,
  folder: string,
): Promise<{ run: string; folder: string; objects: StoredObject[] }[]> {
  const byRun = new Map<string, StoredObject[]>();
  const parent = layout.backup(folder);
  for (const volume of (await store.listFolder(parent)).folders) {
    const run = runOfVolume(volume);
    if (run === undefined) continue;
    const { objects } = await store.listFolder(`${parent}${volume}/`);
    const ours = objects.filter(({ name }) => partsOfObject(name.slice(name.lastIndexOf('/') + 1)));
    byRun.set(run, [...(byRun.get(run) ?? []), ...ours]);
  }
  return [...byRun]
    .filter(([, objects]) => objects.length > 0)
    .map(([run, objects]) => ({ run, folder, objects }));
}

/** Names of all objects that a manifest says it needs, or that belong to it. */
function* objectsListedBy({ layout }: CollectionContext, { volumes }: Manifest): Iterable<string> {
  for (const volume of volumes) {
    const folder = layout.volume(volume.folder, volume.run, volume.attempt, volume.id);
    const series = [
      ['pack', volume.packs, volume.needs.packs],
      ['map', volume.maps, volume.needs.maps],
      ['tree', volume.tree, volume.needs.tree],
    ] as const;
    for (const [kind, own, needs] of series)
      for (const number of numbersOf(own, needs)) yield folder + objectName(kind, number);
  }
}

function* numbersOf(own: Volume['packs'], needs: ObjectRanges): Iterable<number> {
  for (const [index, size] of (own?.sizes ?? []).entries()) if (size > 0) yield index + 1;
  for (const [first, last] of needs) for (let number = first; number <= last; number++) yield number;
}
