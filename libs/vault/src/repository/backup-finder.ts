import { createHash } from 'node:crypto';
import { CatenaError } from '@catena/events';
import { DamagedObjectError } from '../error/damaged-object-error.ts';
import { decodeManifest } from '../manifest/manifest-document.ts';
import type { ManifestRef } from '../port/backup-writer.ts';
import type { Manifest } from '../port/manifest.ts';
import { readIfThere } from '../store/read-whole.ts';
import type { CollectionContext } from './collection-context.ts';
import { isSwept } from './swept-folder.ts';
import { FOLDER_OF_DEPENDENT, FOLDER_OF_FULL, FOLDER_OF_MONTH, FOLDER_OF_YEAR } from './layout.ts';

export interface FoundBackup {
  readonly ref: ManifestRef;
  readonly manifest: Manifest;
}

/** A manifest that is there but cannot be read; the others can. */
export interface UnreadableBackup {
  readonly name: string;
  readonly error: CatenaError;
}

/**
 * Reads the manifest in a folder and checks its hash. `undefined` also where a sweep has made sure that there will be none.
 * @throws DamagedObjectError, NewerFormatError
 */
export async function readManifest(
  context: CollectionContext,
  folder: string,
): Promise<FoundBackup | undefined> {
  const name = context.layout.manifest(folder);
  const bytes = await readIfThere(context.store, name);
  if (bytes === undefined || isSwept(name, bytes)) return undefined;
  const opened = decodeManifest(name, bytes);
  const manifest = opened.document;
  const { collection, backup, run } = manifest;
  if (manifest.folder !== folder || collection !== context.place.collection)
    throw new DamagedObjectError({ object: name, reason: 'wrong place', backups: [backup], files: [] });
  const hash = createHash('sha256').update(bytes).digest('hex');
  return { manifest, ref: { collection, backupId: backup, run, name, hash } };
}

/**
 * Checks that nobody without the key has changed a manifest.
 * @throws DamagedObjectError, LockedError
 */
export async function authenticateManifest(context: CollectionContext, manifest: Manifest): Promise<void> {
  const name = context.layout.manifest(manifest.folder);
  const keyring = await context.keyring();
  const bytes = keyring === undefined ? undefined : await readIfThere(context.store, name);
  if (keyring === undefined || bytes === undefined) return;
  const opened = decodeManifest(name, bytes);
  opened.authenticate(keyring.key(opened.key ?? keyring.document.active));
}

async function* matching(context: CollectionContext, parent: string, pattern: RegExp): AsyncIterable<string> {
  const { folders } = await context.store.listFolder(
    parent === '' ? `${context.layout.folder}/` : context.layout.backup(parent),
  );
  for (const folder of folders)
    if (pattern.test(folder)) yield parent === '' ? folder : `${parent}/${folder}`;
}

const LOGS = 'logs';
const ROOTS = ['', 'copy-only', LOGS];

/** Folders of backups, finished or not, oldest chain first, each full before its dependents. Packs are not looked at. */
export async function* backupFolders(
  context: CollectionContext,
  roots: readonly string[] = ROOTS,
): AsyncIterable<string> {
  for (const root of roots)
    for await (const year of matching(context, root, FOLDER_OF_YEAR))
      for await (const month of matching(context, year, FOLDER_OF_MONTH))
        for await (const full of matching(context, month, FOLDER_OF_FULL)) {
          yield full;
          // Nothing depends on a log, and there may be very many of them.
          if (root !== LOGS) yield* matching(context, full, FOLDER_OF_DEPENDENT);
        }
}

/** Every backup of a collection, from its manifests alone: no key, no map, no pack is read. */
export async function* findBackups(
  context: CollectionContext,
): AsyncIterable<FoundBackup | UnreadableBackup> {
  for await (const folder of backupFolders(context)) {
    try {
      const found = await readManifest(context, folder);
      if (found !== undefined) yield found;
    } catch (error) {
      if (!(error instanceof CatenaError) || error.retryable) throw error;
      yield { name: context.layout.manifest(folder), error };
    }
  }
}
