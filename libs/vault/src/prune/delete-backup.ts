import { crashPoint } from '../crash-point.ts';
import type { StoredObject } from '../port/object-store.ts';
import { readManifest } from '../repository/backup-finder.ts';
import type { CollectionContext } from '../repository/collection-context.ts';
import { runOfFolder } from '../repository/run-folder.ts';
import { attemptOfVolume } from '../repository/layout.ts';

/** What is counted while objects go. */
export interface Removed {
  objects: number;
  bytes: number;
}

/** Objects of a volume go in the opposite order of writing. */
const ORDER = ['tree', 'map', 'pack'] as const;

/**
 * Removes the manifest of a backup: from here on it does not exist. Only if it is this run's, so that a pruner that stood
 * still for however long never takes away another's.
 */
export async function deleteManifest(
  context: CollectionContext,
  run: string,
  folder: string,
  removed: Removed,
): Promise<void> {
  const name = context.layout.manifest(folder);
  if (!(await isOfRun(context, run, folder))) return;
  await removeNamed(context, name, removed);
  crashPoint('vault.prunedManifest');
}

/**
 * Removes everything else that belongs to a backup whose manifest is gone: `LATEST`, repair overlays, entry pages, maps,
 * packs, of all attempts of its run. What leads to its folder goes last, so that whoever is interrupted can be followed.
 */
export async function deleteRemains(
  context: CollectionContext,
  run: string,
  folder: string,
  removed: Removed,
): Promise<void> {
  const { store, layout } = context;
  await deleteLatest(context, folder, removed);
  const { folders } = await store.listFolder(layout.backup(folder));
  const volumes = folders.filter((name) => attemptOfVolume(name, run) !== undefined);
  await deleteRepairs(context, volumes, removed);
  for (const volume of volumes) {
    const { objects } = await store.listFolder(`${layout.backup(folder)}${volume}/`);
    for (const object of inOrder(objects)) {
      await removeObject(context, object, removed);
      crashPoint('vault.prunedObject');
    }
  }
  crashPoint('vault.prunedObjects');
  await removeNamed(context, layout.claim(folder), removed);
  crashPoint('vault.prunedClaim');
  await removeNamed(context, layout.runPointer(run), removed);
}

/** As its claim says, which is readable also when the manifest is damaged; else as the manifest says. */
async function isOfRun(context: CollectionContext, run: string, folder: string): Promise<boolean> {
  const claimed = await runOfFolder(context, folder);
  return (claimed ?? (await readManifest(context, folder))?.manifest.run) === run;
}

async function deleteLatest(context: CollectionContext, folder: string, removed: Removed): Promise<void> {
  const { store, layout } = context;
  const { objects } = await store.listFolder(layout.latestFolder());
  const ending = `-${folder.replaceAll('/', '-')}.json`;
  for (const object of objects)
    if (object.name.endsWith(ending)) await removeObject(context, object, removed);
}

/** Overlays lie by volume id, of which a volume's folder tells the beginning. */
async function deleteRepairs(
  context: CollectionContext,
  volumes: readonly string[],
  removed: Removed,
): Promise<void> {
  const { store, layout } = context;
  const repairs = layout.repairs();
  const beginnings = volumes.map((folder) => folder.slice(folder.lastIndexOf('.') + 1));
  const { folders } = await store.listFolder(repairs);
  for (const volume of folders)
    if (beginnings.some((beginning) => volume.startsWith(beginning)))
      for await (const object of store.list(`${repairs}${volume}/`))
        await removeObject(context, object, removed);
}

function inOrder(objects: readonly StoredObject[]): StoredObject[] {
  const rank = ({ name }: StoredObject) =>
    ORDER.findIndex((kind) => name.slice(name.lastIndexOf('/') + 1).startsWith(kind));
  return [...objects].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? 1 : -1));
}

async function removeNamed(context: CollectionContext, name: string, removed: Removed): Promise<void> {
  const size = await context.store.size(name);
  if (size !== undefined) await removeObject(context, { name, size }, removed);
}

async function removeObject(
  { store }: CollectionContext,
  { name, size }: StoredObject,
  removed: Removed,
): Promise<void> {
  if (!(await store.delete(name))) return;
  removed.objects += 1;
  removed.bytes += size;
}
