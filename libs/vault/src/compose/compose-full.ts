import { randomBytes } from 'node:crypto';
import { BackupRefusedError } from '../error/writer-error.ts';
import type { Keyring } from '../key/keyring.ts';
import type { FinishedBackup } from '../port/backup-writer.ts';
import type { Manifest } from '../port/manifest.ts';
import { VaultBackupReader } from '../read/vault-backup-reader.ts';
import type { CollectionContext } from '../repository/collection-context.ts';
import { folderOfFull } from '../repository/layout.ts';
import { claimFolder } from '../repository/run-folder.ts';
import { LeftoverBlocks } from '../write/leftover-blocks.ts';
import { ownSeries } from '../write/own-series.ts';
import type { OwnVolume } from '../write/write-manifest.ts';
import { commitManifest } from '../write/write-manifest.ts';
import type { ComposeOptions, ComposePlan } from './compose-plan.ts';
import { FullComposer } from './full-composer.ts';
import { announceSpace } from './space-needed.ts';

/**
 * Composes a full that shows what a backup shows and owns every byte of it, without reading the source. Packs that earlier
 * attempts of the run made durable are used again.
 * @throws BackupRefusedError, NoSpaceToComposeError, DamagedObjectError: then nothing is there that counts
 */
export async function composeFull(
  context: CollectionContext,
  keyring: Keyring | undefined,
  plan: ComposePlan,
  from: Manifest,
  options: ComposeOptions,
): Promise<FinishedBackup> {
  refuseUnfit(plan, from, keyring);
  const { run, attempt, startedAt, backupId } = plan;
  const folder = await claimFolder(context, run, startedAt, (time) => folderOfFull(time, 'conventional'));
  const own: OwnVolume = { number: 0, id: randomBytes(16).toString('hex'), origin: context.place.origin };
  const leftovers = await LeftoverBlocks.find(context, keyring, folder, run, 1);
  const there = (leftovers?.volumes ?? []).flatMap(({ packSizes }) => packSizes);
  const bytesThere = there.reduce((sum, size) => sum + size, 0);
  const space = await announceSpace(context.store, from, bytesThere);
  options.onSpace?.(space);
  const series = ownSeries(context, keyring, folder, plan, own, options);
  const reader = await VaultBackupReader.open(context, from);
  const manifestParts = {
    context,
    keyring,
    plan: { backupId, run, attempt, startedAt, type: 'full' as const, source: from.source },
    folder,
    before: undefined,
    composedFrom: from.backup,
    own,
    series,
    leftovers,
  };
  const commit: ConstructorParameters<typeof FullComposer>[0]['commit'] = (written) =>
    commitManifest(manifestParts, written);
  const composer = new FullComposer({ from: reader, series, leftovers, options, commit });
  try {
    return await composer.run();
  } catch (error) {
    await composer.abandon(error);
    throw error;
  } finally {
    await reader.close();
  }
}

function refuseUnfit(plan: ComposePlan, from: Manifest, keyring: Keyring | undefined): void {
  if (from.type === 'log')
    throw new BackupRefusedError(
      plan.backupId,
      `${from.backup} is a log backup, of which no full can be composed`,
      'name a full, a differential or an incremental',
    );
  if (from.identityKey !== keyring?.identity.id)
    throw new BackupRefusedError(
      plan.backupId,
      `the blocks of ${from.backup} were named under the identity key ${from.identityKey ?? 'of nothing encrypted'}, which is not the collection's`,
      'take a full that is read from the source',
    );
}
