import { randomBytes } from 'node:crypto';
import { gearTable } from '../cut/gear-table.ts';
import { blockIdentityKey } from '../key/data-key.ts';
import type { Keyring } from '../key/keyring.ts';
import type { Manifest } from '../port/manifest.ts';
import { VaultBackupReader } from '../read/vault-backup-reader.ts';
import type { CollectionContext } from '../repository/collection-context.ts';
import { publicIdentity } from '../repository/collection-context.ts';
import { claimFolder } from '../repository/run-folder.ts';
import { PagesBefore } from '../tree/pages-before.ts';
import type { BackupPlan, WriteOptions } from './backup-plan.ts';
import { checkLineage, folderAt } from './backup-plan.ts';
import { LeftoverBlocks } from './leftover-blocks.ts';
import { ownSeries } from './own-series.ts';
import { VaultBackupWriter } from './vault-backup-writer.ts';
import type { OwnVolume } from './write-manifest.ts';
import { commitManifest } from './write-manifest.ts';

/** Starts a backup in a collection; `before` is the manifest of its parent or base. */
export async function beginBackup(
  context: CollectionContext,
  keyring: Keyring | undefined,
  plan: BackupPlan,
  before: Manifest | undefined,
  options: WriteOptions,
): Promise<VaultBackupWriter> {
  checkLineage(plan, before);
  const { place, now } = context;
  const { run, startedAt } = plan;
  const folder = await claimFolder(context, run, startedAt, (time) => folderAt(plan, before, time));
  const number = Math.max(-1, ...(before?.volumes ?? []).map((volume) => volume.number)) + 1;
  const own: OwnVolume = { number, id: randomBytes(16).toString('hex'), origin: place.origin };
  const leftovers = await LeftoverBlocks.find(context, keyring, folder, run, number + 1);
  const parent = before === undefined ? undefined : await VaultBackupReader.open(context, before);

  const { packs, maps, tree, packsDurable, mapsDurable } = ownSeries(
    context,
    keyring,
    folder,
    plan,
    own,
    options,
  );

  const identity = keyring?.identity ?? publicIdentity(context);
  const manifestParts = {
    context,
    keyring,
    plan,
    folder,
    before,
    own,
    series: { packs, maps, tree },
    leftovers,
  };
  return new VaultBackupWriter(
    {
      ...{ plan, options, parent, packs, maps, tree, own, leftovers, now, packsDurable, mapsDurable },
      identityKey: blockIdentityKey(identity),
      gear: gearTable(identity),
      commit: (written) => commitManifest(manifestParts, written),
    },
    new PagesBefore(parent?.tree),
  );
}
