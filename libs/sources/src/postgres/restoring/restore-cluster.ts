/** The restore of a cluster: a tree like any other, checked against the server's own list and made safe to start. */
import { readdir } from 'node:fs/promises';
import type { BackupReader } from '@catena/vault';
import { FilesRestore } from '../../files/restoring/restore-files.ts';
import { stagedTree } from '../../files/restoring/target-place.ts';
import { RestoreError } from '../../port/restore-error.ts';
import type { RestoreOptions, RestoreOutcome } from '../../port/source-driver.ts';
import type { TriedCopy } from '../scratch/try-copy.ts';
import { refuseUnstartable } from './can-be-started.ts';
import { checkAgainstManifest, type CheckedCluster } from './check-manifest.ts';
import { refuseTablespacesKnown } from './look-ahead.ts';
import { makeRecoverable, type RecoverableCopy } from './recover-copy.ts';
import { dataFolderView, tablespaceView } from './reader-view.ts';
import { restoreOver } from './delta/restore-over.ts';
import { restoredCluster } from './restored-cluster.ts';
import { checkLogs, roomForLogs } from './roll-logs.ts';
import { refuseWithoutRoom, type RoomAt } from './room.ts';
import { SharedProgress } from './shared-progress.ts';
import { StagedCopy } from './staged-copy.ts';
import { accountOf } from './open-way.ts';
import { placesOf } from './tablespace-places.ts';

/** Restores a whole cluster into a data folder that does not exist or is empty, or over one of the same cluster (`delta`). */
export async function restoreCluster(
  reader: BackupReader,
  target: string,
  options: RestoreOptions,
): Promise<RestoreOutcome> {
  options.signal?.throwIfAborted();
  if (options.globs !== undefined && options.globs.length > 0) throw refusePart(target);
  const keepsPlaces = options.delta === true;
  if (!keepsPlaces) await refuseOccupied(target);
  checkLogs(reader, options.logs ?? []);
  const checked = await checkAgainstManifest(reader);
  const mappings = options.cluster?.tablespaces ?? [];
  const places = await placesOf({ target, tablespaces: checked.tablespaces, mappings, keepsPlaces });
  if (keepsPlaces) return await restoreOver({ reader, target, options, checked, places });
  const account = await accountOf(reader, options);
  await refuseUnstartable({ reader, account, places: [target, ...places.values()] }, options.cluster);
  await refuseTablespacesKnown(reader, options, account);
  const staged = new StagedCopy(target, options, [...places.values()]);
  if (!(await staged.isResumed())) for (const place of places.values()) await refuseOccupied(place);
  try {
    await refuseWithoutRoom(await roomOf({ target, options, checked, places, staged }), false);
    if (account !== undefined) staged.openWay();
    return await restoreStaged(reader, { target, options, checked, places, staged });
  } catch (error) {
    await staged.giveUp(error);
    throw error;
  }
}

interface StagedRestore {
  readonly target: string;
  readonly options: RestoreOptions;
  readonly checked: CheckedCluster;
  readonly places: ReadonlyMap<string, string>;
  readonly staged: StagedCopy;
}

/** What is needed of room: of the data folder, its log and each tablespace. */
async function roomOf({ target, options, checked, places, staged }: StagedRestore): Promise<RoomAt[]> {
  const roomFor = (tree: string) => checked.totals.get(tree)?.room ?? 0;
  const all = [
    { place: target, needed: roomFor(''), freed: await staged.leftAt() },
    { place: target, needed: roomForLogs(options.logs ?? []), freed: 0 },
  ];
  for (const [oid, place] of places)
    all.push({ place, needed: roomFor(oid), freed: await staged.leftAt(place) });
  return all;
}

/** The data folder gets its name last: it is what makes a cluster of them. */
async function restoreStaged(reader: BackupReader, plan: StagedRestore): Promise<RestoreOutcome> {
  const { target, options, checked, places, staged } = plan;
  const progress = new SharedProgress(options, reader.manifest.statistics);
  const { beforeVisible, ...common } = options;
  const outcomes: RestoreOutcome[] = [];
  let copy: RecoverableCopy | undefined;
  let tried: TriedCopy | undefined;
  const prepare = async () => {
    const tree = stagedTree(target, options.run);
    for (const [oid, place] of places) {
      // What an earlier attempt has brought there is looked at, and kept when it is right.
      const again = { ...progress.part(common), overwrite: true };
      outcomes.push(await new FilesRestore(tablespaceView(reader, oid, checked.totals), place, again).run());
    }
    copy = await makeRecoverable(tree, { reader, paths: checked.paths, tablespaces: places, options });
    if (options.cluster?.start !== undefined) tried = await staged.tryOnce(tree, copy.expected);
    await beforeVisible?.();
  };
  const main = { ...progress.part(common), beforeVisible: prepare };
  outcomes.push(await new FilesRestore(dataFolderView(reader, checked.totals), target, main).run());
  staged.isVisible();
  if (copy === undefined) throw new Error('A tree became visible that was not prepared.');
  return { ...sumOf(outcomes, copy), cluster: await restoredCluster(target, options, copy, tried) };
}

async function refuseOccupied(target: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    if (code !== 'ENOTDIR') throw error;
    names = [target];
  }
  if (names.length === 0) return;
  throw new RestoreError(
    'restore.targetExists',
    `'${target}' is not empty: a cluster is restored into a folder of its own (rules.md section 6).`,
    {
      remedy:
        'Name a folder that does not exist or is empty (of a tablespace with --tablespace OLD=NEW), or say --delta over a data folder of the same cluster.',
      details: { path: target },
    },
  );
}

function refusePart(target: string): RestoreError {
  return new RestoreError(
    'restore.targetNotUsable',
    'Single files of a cluster mean nothing without the others, so it is restored whole.',
    { remedy: 'Leave out what selects files.', details: { target } },
  );
}

function sumOf(outcomes: readonly RestoreOutcome[], { rolled }: RecoverableCopy): RestoreOutcome {
  const sum = (of: 'files' | 'bytes' | 'bytesWritten' | 'unchanged' | 'warningCount') =>
    outcomes.reduce((total, one) => total + one[of], 0);
  return {
    files: sum('files') + rolled.files,
    bytes: sum('bytes') + rolled.bytes,
    bytesWritten: sum('bytesWritten') + rolled.bytes,
    unchanged: sum('unchanged'),
    warnings: outcomes.flatMap((one) => one.warnings),
    warningCount: sum('warningCount'),
  };
}
