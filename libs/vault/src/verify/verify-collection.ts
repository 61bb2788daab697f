import type { ObjectIdentity } from '../container/object-header.ts';
import type { Damage } from '../error/damaged-object-error.ts';
import { DamagedObjectError } from '../error/damaged-object-error.ts';
import { KeyringMissingError, LockedError } from '../error/key-error.ts';
import type { Keyring } from '../key/keyring.ts';
import type { Manifest } from '../port/manifest.ts';
import type { ReadOptions } from '../read/read-options.ts';
import { VaultBackupReader } from '../read/vault-backup-reader.ts';
import { authenticateManifest, findBackups } from '../repository/backup-finder.ts';
import type { CollectionContext } from '../repository/collection-context.ts';
import type { NeededObject } from './closure-objects.ts';
import { neededObjects } from './closure-objects.ts';
import { DamageMap } from './damage-map.ts';
import { checkObjects } from './check-objects.ts';
import type { ObjectChecker, RepairOverlay } from './object-check.ts';
import { recordVerification } from './verification-record.ts';
import { walkReferences } from './reference-walk.ts';

/** presence: every object is there and as long as it was. checksums: every byte is read and every reference followed. */
export type VerifyDepth = 'presence' | 'checksums';

export interface VerifyProgress {
  readonly objects: number;
  readonly objectsTotal: number;
  readonly bytes: number;
  /** Of the objects whose size the manifests say. */
  readonly bytesTotal: number;
}

export interface VerifyOptions extends ReadOptions {
  readonly depth: VerifyDepth;
  /** Ids of backups; default all of the collection. */
  readonly backups?: readonly string[];
  readonly onProgress?: (progress: VerifyProgress) => void;
  readonly signal?: AbortSignal;
  /** Leaves a verification record in the repository, in this name. */
  readonly recordAs?: string;
}

export interface VerifyReport {
  readonly depth: VerifyDepth;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly backups: readonly string[];
  readonly objects: number;
  readonly bytes: number;
  readonly damages: readonly Damage[];
  /** False when no key was at hand: objects were checked by their hashes, and files cannot be named. */
  readonly opened: boolean;
}

async function openKeyring(
  context: CollectionContext,
  manifests: readonly Manifest[],
  damages: DamageMap,
): Promise<{ keyring: Keyring | undefined; opened: boolean }> {
  try {
    return { keyring: await context.keyring(), opened: true };
  } catch (error) {
    if (error instanceof LockedError) return { keyring: undefined, opened: false };
    if (error instanceof KeyringMissingError) {
      // Before its first backup a collection has none; with backups it is what hurts most.
      if (manifests.length > 0) {
        const backups = manifests.map(({ backup }) => backup);
        damages.add({ object: context.layout.keys(), reason: 'missing', backups, files: [] });
      }
      return { keyring: undefined, opened: false };
    }
    throw error;
  }
}

async function readManifests(context: CollectionContext, damages: DamageMap): Promise<Manifest[]> {
  const manifests: Manifest[] = [];
  for await (const found of findBackups(context)) {
    if ('manifest' in found) manifests.push(found.manifest);
    else damages.add({ object: found.name, reason: 'malformed', backups: [], files: [] });
  }
  return manifests;
}

/** Names, per damage, the backups that need the object; more cannot be said from manifests alone. */
function damageOf(object: NeededObject, found: Pick<Damage, 'reason' | 'offset' | 'length'>): Damage {
  return { object: object.name, backups: object.backups, files: [], ...found };
}

async function repairsOf(
  { store, layout }: CollectionContext,
  { volume, kind, number }: ObjectIdentity,
): Promise<RepairOverlay[]> {
  const anywhere = layout.repair(volume, kind, number, 0);
  const prefix = anywhere.slice(0, -1);
  const { objects } = await store.listFolder(anywhere.slice(0, anywhere.lastIndexOf('/') + 1));
  return objects
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name, size }) => ({ name, size, offset: Number(name.slice(prefix.length)) }));
}

/** Checks a collection and says what is hit by what is damaged. Never throws for damage. */
export async function verifyCollection(
  context: CollectionContext,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const { depth, signal, onProgress } = options;
  const startedAt = context.now();
  const damages = new DamageMap();
  const known = await readManifests(context, damages);
  const wanted = options.backups === undefined ? undefined : new Set(options.backups);
  const manifests = known.filter((manifest) => wanted?.has(manifest.backup) ?? true);
  for (const id of wanted ?? [])
    if (!manifests.some((manifest) => manifest.backup === id))
      damages.add({ object: `manifest of backup ${id}`, reason: 'missing', backups: [id], files: [] });
  const { keyring, opened } = await openKeyring(context, manifests, damages);
  const objects = neededObjects(context.layout, manifests, known);
  const progress = {
    objects: 0,
    objectsTotal: objects.length,
    bytes: 0,
    bytesTotal: objects.reduce((sum, object) => sum + (object.size ?? 0), 0),
  };
  const checker: ObjectChecker = {
    store: context.store,
    signal,
    rate: options.limits?.read,
    sealOf: ({ identity }) => {
      if (identity.key === undefined) return { identity };
      return keyring === undefined ? undefined : { identity, secret: keyring.key(identity.key).secret };
    },
    repairsOf: ({ identity }) => repairsOf(context, identity),
    onBytes: (bytes) => {
      progress.bytes += bytes;
      onProgress?.({ ...progress });
    },
  };
  const onObject = () => {
    progress.objects++;
    onProgress?.({ ...progress });
  };
  const found = await checkObjects(checker, objects, { depth, workers: options.workers }, onObject);
  for (const [i, object] of objects.entries())
    for (const damage of found[i] ?? []) damages.add(damageOf(object, damage));
  if (opened && (depth === 'checksums' || !damages.isEmpty))
    for (const manifest of manifests) await walk(context, manifest, damages, options);
  const report: VerifyReport = {
    depth,
    startedAt,
    endedAt: context.now(),
    backups: manifests.map((manifest) => manifest.backup),
    objects: objects.length,
    bytes: depth === 'checksums' ? progress.bytes : 0,
    damages: damages.list(),
    opened,
  };
  if (options.recordAs !== undefined) await recordVerification(context, report, options.recordAs);
  return report;
}

async function walk(
  context: CollectionContext,
  manifest: Manifest,
  damages: DamageMap,
  options: VerifyOptions,
): Promise<void> {
  try {
    await authenticateManifest(context, manifest);
  } catch (error) {
    if (!(error instanceof DamagedObjectError)) throw error;
    damages.add(error.neededBy({ backup: manifest.backup }).damage);
    return;
  }
  const reader = await VaultBackupReader.open(context, manifest, options);
  await walkReferences(reader, context.layout, damages, options.signal);
  await reader.close();
}
