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
import { defaultWorkers } from '../workers/worker-pool.ts';
import type { BackupPlan, WriteOptions } from './backup-plan.ts';
import { checkLineage, folderAt } from './backup-plan.ts';
import { LeftoverBlocks } from './leftover-blocks.ts';
import { ownPacks, ownSeries } from './own-series.ts';
import { RecentBlocks } from './station/recent-blocks.ts';
import { SharedMemory } from './shared-memory.ts';
import { Stations } from './stations.ts';
import { UnitPlaces } from './unit-places.ts';
import { DEFAULT_UNIT_BYTES, VaultBackupWriter } from './vault-backup-writer.ts';
import type { OwnVolume } from './write-manifest.ts';
import { commitManifest } from './write-manifest.ts';

const MIB = 1024 * 1024;
/** Packs that are not durable yet, which is what an interrupted attempt loses. */
const UNFINISHED_BYTES = 64 * MIB;

/** One pack open for each thread, and on the way to being durable one more than there are threads. */
function packBytesFor(workers: number): number {
  return Math.min(32 * MIB, Math.max(4 * MIB, Math.floor(UNFINISHED_BYTES / (2 * workers + 1))));
}

/** Two segments for each thread, and some being read or on their way from one to the other. */
function bufferBytesFor(workers: number): number {
  return (6 + 3 * workers) * MIB;
}

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
  const { leftoverBlocks } = options;
  const leftovers = await LeftoverBlocks.find(context, keyring, folder, run, number + 1, leftoverBlocks);
  const parent = before === undefined ? undefined : await VaultBackupReader.open(context, before);

  const { maps, tree, packsDurable, mapsDurable } = ownSeries(context, keyring, folder, plan, own, options);
  const identity = keyring?.identity ?? publicIdentity(context);
  const workers = options.workers ?? defaultWorkers();
  const places = new UnitPlaces(number);
  const packs = ownPacks(context, folder, plan, own, options.limits?.write);
  const memory = options.reserve?.memory ?? new SharedMemory(0);
  const recent = RecentBlocks.memory(memory);
  const stations = new Stations({
    ...{ workers, places, sink: packs },
    ...(options.reserve === undefined ? {} : { threads: options.reserve.threads }),
    options: {
      volume: own,
      ...(keyring === undefined ? {} : { key: keyring.active }),
      identityKey: blockIdentityKey(identity).export(),
      compressionLevel: options.compressionLevel ?? 1,
      unitBytes: options.unitBytes ?? DEFAULT_UNIT_BYTES,
      packBytes: options.packBytes ?? packBytesFor(workers),
      recent,
    },
  });
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
      ...{ plan, options, parent, maps, tree, own, leftovers, now, packsDurable, mapsDurable },
      ...{ packs, stations, places, memory, recent, bufferBytes: bufferBytesFor(workers) },
      gear: gearTable(identity),
      commit: (written) => commitManifest(manifestParts, written),
    },
    new PagesBefore(parent?.tree),
  );
}
