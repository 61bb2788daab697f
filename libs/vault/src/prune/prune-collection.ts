import { crashPoint } from '../crash-point.ts';
import type { Manifest } from '../port/manifest.ts';
import { findBackups, type UnreadableBackup } from '../repository/backup-finder.ts';
import type { CollectionContext } from '../repository/collection-context.ts';
import { folderOfRun } from '../repository/run-folder.ts';
import { UnreadableManifestError } from '../error/prune-error.ts';
import { deleteManifest, deleteRemains, type Removed } from './delete-backup.ts';
import type { CondemnedBackup, PruneOptions, PruneReport } from './prune-options.ts';
import { stillNeeded } from './still-needed.ts';

/** A condemned backup of which something is left. */
interface Doomed extends CondemnedBackup {
  readonly folder: string;
}

/**
 * Deletes condemned backups, from manifests in clear: no key, no map is read. Manifests go first, the newest backup's
 * before those it was computed from; then everything else, in the opposite order of writing. Repeating it, or doing it
 * twice at once, harms nothing: ids of condemned backups are never used again.
 * @throws UnreadableManifestError when a manifest that may need them cannot be read: then nothing is deleted.
 */
export async function pruneCollection(
  context: CollectionContext,
  options: PruneOptions,
): Promise<PruneReport> {
  const manifests = await manifestsBeside(context, options.backups);
  const condemned = new Set(options.backups.map(({ backup }) => backup));
  const needed = stillNeeded(manifests, condemned);
  const free = options.backups.filter(({ backup }) => !needed.has(backup));
  const doomed = await foldersOf(context, free, manifests);
  const total: Removed = { objects: 0, bytes: 0 };
  const freed = new Map(free.map(({ backup }) => [backup, 0]));
  const remove = async (
    one: Doomed,
    step: (context: CollectionContext, run: string, folder: string, removed: Removed) => Promise<void>,
  ): Promise<void> => {
    options.signal?.throwIfAborted();
    await options.assertHeld?.();
    const removed: Removed = { objects: 0, bytes: 0 };
    await step(context, one.run, one.folder, removed);
    total.objects += removed.objects;
    total.bytes += removed.bytes;
    freed.set(one.backup, (freed.get(one.backup) ?? 0) + removed.bytes);
    options.onProgress?.(total);
  };
  for (const one of doomed) await remove(one, deleteManifest);
  crashPoint('vault.prunedManifests');
  for (const one of doomed) await remove(one, deleteRemains);
  return {
    deleted: [...freed].map(([backup, bytes]) => ({ backup, bytes })),
    needed: [...needed].map(([backup, by]) => ({ backup, by })),
    ...total,
  };
}

/** Every manifest that can be read; one that cannot must be of a backup that goes anyway. */
async function manifestsBeside(
  context: CollectionContext,
  condemned: readonly CondemnedBackup[],
): Promise<Manifest[]> {
  const manifests: Manifest[] = [];
  const unreadable: UnreadableBackup[] = [];
  for await (const found of findBackups(context)) {
    if ('manifest' in found) manifests.push(found.manifest);
    else unreadable.push(found);
  }
  if (unreadable.length > 0) {
    const folders = await Promise.all(condemned.map(({ run }) => folderOfRun(context, run)));
    const going = new Set(folders.map((folder) => folder && context.layout.manifest(folder)));
    const unsure = unreadable.find(({ name }) => !going.has(name));
    if (unsure !== undefined) throw new UnreadableManifestError(unsure.name, unsure.error);
  }
  return manifests;
}

/** The newest first, so that none is ever there without what it was computed from. */
async function foldersOf(
  context: CollectionContext,
  condemned: readonly CondemnedBackup[],
  manifests: readonly Manifest[],
): Promise<Doomed[]> {
  const byBackup = new Map(manifests.map((manifest) => [manifest.backup, manifest]));
  const doomed: Doomed[] = [];
  for (const { backup, run } of condemned) {
    const manifest = byBackup.get(backup);
    const folder = manifest?.folder ?? (await folderOfRun(context, run));
    if (folder !== undefined) doomed.push({ backup, run: manifest?.run ?? run, folder });
  }
  const startOf = ({ backup, folder }: Doomed) => byBackup.get(backup)?.startedAt ?? folder;
  return doomed.sort((a, b) => (startOf(a) < startOf(b) ? 1 : -1));
}
