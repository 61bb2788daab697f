import { createHash } from 'node:crypto';
import { CatenaError } from '@catena/events';
import type { ObjectSeriesWriter } from '../container/object-series-writer.ts';
import { crashPoint } from '../crash-point.ts';
import { RunSweptError } from '../error/sweep-error.ts';
import type { Keyring } from '../key/keyring.ts';
import { encodeManifest } from '../manifest/manifest-document.ts';
import type { FinishedBackup } from '../port/backup-writer.ts';
import type { Manifest, Volume } from '../port/manifest.ts';
import { readManifest } from '../repository/backup-finder.ts';
import type { CollectionContext } from '../repository/collection-context.ts';
import { markLatest } from '../repository/latest.ts';
import { isSweptFolder } from '../repository/swept-folder.ts';
import type { BackupPlan } from './backup-plan.ts';
import type { ClosureUsage } from './closure-usage.ts';
import type { LeftoverBlocks } from './leftover-blocks.ts';
import type { WrittenBackup } from './writer-parts.ts';

/** The volume a writer fills. */
export interface OwnVolume {
  readonly number: number;
  readonly id: string;
  readonly origin: string;
}

export interface ManifestParts {
  readonly context: CollectionContext;
  readonly keyring: Keyring | undefined;
  readonly plan: BackupPlan;
  readonly folder: string;
  readonly before: Manifest | undefined;
  /** Of a full that was not read from the source: the backup it shows. */
  readonly composedFrom?: string;
  readonly own: OwnVolume;
  readonly series: {
    readonly packs: { readonly sizes: readonly number[] };
    readonly maps: ObjectSeriesWriter;
    readonly tree: ObjectSeriesWriter;
  };
  readonly leftovers: LeftoverBlocks | undefined;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, size) => total + size, 0);

function withUsage(volume: Omit<Volume, 'needs' | 'liveBytes'>, usage: ClosureUsage): Volume {
  const { needs, bytes } = usage.needs(volume.number);
  const share = volume.blockBytes === 0 ? 0 : Math.min(1, bytes / volume.blockBytes);
  return { ...volume, needs, liveBytes: Math.round(volume.packBytes * share) };
}

/** Volumes of the lineage keep their numbers also when nothing of them is needed any more. */
function inherited(before: Manifest | undefined, usage: ClosureUsage): Volume[] {
  return (before?.volumes ?? []).map((volume) => {
    const { packs: _packs, maps: _maps, tree: _tree, needs: _needs, liveBytes: _live, ...kept } = volume;
    return withUsage(kept, usage);
  });
}

function ownVolumes(parts: ManifestParts, written: WrittenBackup): Volume[] {
  const { plan, folder, own, series, keyring, leftovers } = parts;
  const { usage } = written;
  const about = { backup: plan.backupId, run: plan.run, folder, origin: own.origin };
  const filled: Omit<Volume, 'needs' | 'liveBytes'> = {
    ...about,
    number: own.number,
    id: own.id,
    attempt: plan.attempt,
    ...(keyring === undefined ? {} : { key: keyring.active.id }),
    packs: { sizes: series.packs.sizes },
    maps: { sizes: series.maps.sizes },
    tree: { sizes: series.tree.sizes },
    packBytes: sum(series.packs.sizes),
    blockBytes: written.blockBytes,
  };
  const adopted = (leftovers?.volumes ?? []).map(
    ({ number, id, attempt, key, packSizes, blockBytes }): Omit<Volume, 'needs' | 'liveBytes'> => ({
      ...about,
      number,
      id,
      attempt,
      ...(key === undefined ? {} : { key }),
      packs: { sizes: packSizes },
      maps: { sizes: [] },
      tree: { sizes: [] },
      packBytes: sum(packSizes),
      blockBytes,
    }),
  );
  const used = adopted
    .map((volume) => withUsage(volume, usage))
    .filter((volume) => volume.needs.packs.length > 0);
  return [withUsage(filled, usage), ...used];
}

function needsAnything(volume: Volume): boolean {
  const { packs, maps, tree } = volume.needs;
  return packs.length + maps.length + tree.length > 0;
}

function buildManifest(parts: ManifestParts, written: WrittenBackup): Manifest {
  const { context, keyring, plan, folder, before, series } = parts;
  const { summary, entries, files, bytes, bytesRead, bytesNew } = written;
  const volumes = [...inherited(before, written.usage), ...ownVolumes(parts, written)];
  const needed = volumes.filter(needsAnything);
  const unique = (ids: readonly (string | undefined)[]) =>
    [...new Set(ids)].filter((id) => id !== undefined).sort();
  const bytesOfMaps = sum(series.maps.sizes) + sum(series.tree.sizes);
  return {
    format: 'catena-manifest',
    version: 1,
    features: written.features,
    repository: context.place.repository,
    collection: context.place.collection,
    backup: plan.backupId,
    type: plan.type,
    copyOnly: plan.copyOnly ?? false,
    chain: before?.chain ?? plan.backupId,
    ...(plan.type === 'differential' && before !== undefined ? { base: before.backup } : {}),
    ...(plan.type === 'incremental' && before !== undefined ? { parent: before.backup } : {}),
    ...(parts.composedFrom === undefined ? {} : { composedFrom: parts.composedFrom }),
    run: plan.run,
    attempt: plan.attempt,
    folder,
    source: plan.source,
    ...(summary.position === undefined ? {} : { position: summary.position }),
    asOf: (summary.asOf ?? plan.startedAt).toISOString(),
    startedAt: plan.startedAt.toISOString(),
    endedAt: context.now().toISOString(),
    statistics: {
      ...{ entries, files, bytes, bytesRead, bytesNew },
      bytesStored: sum(series.packs.sizes) + bytesOfMaps,
      bytesOfMaps,
    },
    ...(summary.driverDetails === undefined ? {} : { driverDetails: summary.driverDetails }),
    warnings: written.warnings,
    backups: unique([plan.backupId, ...needed.map((volume) => volume.backup)]),
    volumes,
    keys: unique(needed.map((volume) => volume.key)),
    ...(keyring === undefined ? {} : { identityKey: keyring.identity.id }),
    tree: { index: written.index, warnings: written.warningPages },
  };
}

/**
 * The commit point: creates the manifest if the run has none. When another attempt was first, its manifest is the
 * backup and what this one wrote is left for the sweep.
 */
export async function commitManifest(parts: ManifestParts, written: WrittenBackup): Promise<FinishedBackup> {
  const { context, keyring, plan, folder } = parts;
  const manifest = buildManifest(parts, written);
  const bytes = encodeManifest(manifest, keyring?.active);
  const name = context.layout.manifest(folder);
  crashPoint('vault.beforeManifest');
  const created = await context.store.putIfAbsent(name, bytes);
  crashPoint('vault.afterManifest');
  if (created) {
    await markLatest(context, manifest);
    crashPoint('vault.afterLatest');
    const hash = createHash('sha256').update(bytes).digest('hex');
    const { collection } = context.place;
    return { collection, backupId: plan.backupId, run: plan.run, name, hash, manifest, adopted: false };
  }
  const adopted = await adoptManifest(context, folder, plan.run);
  if (adopted === undefined && (await isSweptFolder(context, folder))) throw new RunSweptError(plan.run);
  if (adopted === undefined)
    throw new CatenaError('vault.foreign-manifest', `${name} is not the backup of run ${plan.run}`, {
      remedy: 'two runs were given one folder; this is a defect, report it',
    });
  return adopted;
}

/** The backup a run has made already; also does what its maker may not have come to. */
export async function adoptManifest(
  context: CollectionContext,
  folder: string,
  run: string,
): Promise<FinishedBackup | undefined> {
  const found = await readManifest(context, folder);
  if (found === undefined || found.manifest.run !== run) return undefined;
  await markLatest(context, found.manifest);
  return { ...found.ref, manifest: found.manifest, adopted: true };
}
