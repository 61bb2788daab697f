/**
 * Restores a cluster over a data folder of the same one. While it is not complete the folder has no control file, without
 * which no server starts on it, and a note by which the next attempt knows what it is.
 */
import { mkdir, open, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BackupReader } from '@catena/vault';
import { ProgressMeter } from '../../../files/progress-meter.ts';
import { RestoreError } from '../../../port/restore-error.ts';
import type { RestoreOptions, RestoreOutcome } from '../../../port/source-driver.ts';
import { byteStringOf, systemCodeOf } from '../../../system-calls/index.ts';
import { tryCopy } from '../../scratch/try-copy.ts';
import type { CheckedCluster } from '../check-manifest.ts';
import { refuseUnstartable } from '../can-be-started.ts';
import { searchAhead } from '../look-ahead.ts';
import { makeRecoverable } from '../recover-copy.ts';
import { dataFolderView, tablespaceView } from '../reader-view.ts';
import { restoredCluster } from '../restored-cluster.ts';
import { checkDeltaTarget, CONTROL_FILE, UNFINISHED } from './check-target.ts';
import { roomForLogs } from '../roll-logs.ts';
import { refuseWithoutRoom } from '../room.ts';
import type { FoundStop } from '../stop-search.ts';
import { refuseTablespacesInUse } from '../tablespaces-in-log.ts';
import { syncFolder, TreeInLine, type BroughtTree } from './tree-in-line.ts';
import { surveyTree, type SurveyedTree, type TreeToSurvey } from './tree-survey.ts';

export interface RestoreOver {
  readonly reader: BackupReader;
  readonly target: string;
  readonly options: RestoreOptions;
  readonly checked: CheckedCluster;
  /** By number, where each tablespace is to lie. */
  readonly places: ReadonlyMap<string, string>;
}

type TreeOver = TreeToSurvey & SurveyedTree;

/**
 * The log is looked through first: what is refused for what it holds is refused while the folder is what it was.
 * @throws RestoreError of `checkDeltaTarget`, `refuseUnstartable`, `searchAhead`, `restore.tablespaceInLog` and `restore.noSpace` before anything is
 *   touched, and of any other restore of a cluster.
 */
export async function restoreOver(restore: RestoreOver): Promise<RestoreOutcome> {
  const { reader, target, options } = restore;
  const identifier = await checkDeltaTarget(target, reader.manifest);
  const owner = await stat(target);
  const account = owner.uid === process.geteuid?.() ? undefined : owner;
  const all = [target, ...restore.places.values()];
  await refuseUnstartable({ reader, account, places: all }, options.cluster);
  const searched = await searchAhead(reader, options);
  await refuseTablespacesInUse(searched.tablespaces, owner.uid);
  const trees = await surveyed(restore);
  // What is not in the backup goes first, so that its room counts; pages that are written in place need none.
  const needs = trees.map(({ root: place, needed, freed }) => ({ place, needed, freed }));
  needs.push({ place: target, needed: roomForLogs(options.logs ?? []), freed: 0 });
  await refuseWithoutRoom(needs, true);
  await options.beforeVisible?.();
  try {
    return await bringOver(restore, trees, { identifier, searched });
  } catch (error) {
    const code = systemCodeOf(error);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
    const { bavail, bsize } = await statfs(target);
    throw new RestoreError(
      'restore.noSpace',
      `There is no space left for the restore over '${target}': ${bavail * bsize} bytes are free now. The cluster there cannot be started.`,
      {
        remedy: 'Free space there and restore again with --delta, which goes on.',
        details: { target },
        cause: error,
      },
    );
  }
}

/** The trees that are brought in line: of each tablespace, and the data folder at last. */
async function surveyed({ reader, target, options, checked, places }: RestoreOver): Promise<TreeOver[]> {
  const { signal } = options;
  // Where the tablespaces lie is known by these links: an attempt that goes on needs them.
  const links = [...places.keys()].map((oid) => `pg_tblspc/${oid}`);
  const trees: TreeToSurvey[] = [...places].map(([oid, root]) => {
    return {
      reader: tablespaceView(reader, oid, checked.totals),
      root,
      spared: new Set(),
      ownsRoot: false,
      signal,
    };
  });
  const spared = new Set([CONTROL_FILE, UNFINISHED, ...links]);
  trees.push({
    reader: dataFolderView(reader, checked.totals),
    root: target,
    spared,
    ownsRoot: true,
    signal,
  });
  const found: TreeOver[] = [];
  for (const tree of trees) found.push({ ...tree, ...(await surveyTree(tree)) });
  return found;
}

async function bringOver(
  restore: RestoreOver,
  trees: readonly TreeOver[],
  { identifier, searched }: { readonly identifier: string; readonly searched: FoundStop },
): Promise<RestoreOutcome> {
  const { reader, target, options, checked, places } = restore;
  const { signal, cluster } = options;
  const owner = await stat(target);
  const meter = new ProgressMeter(options.progress);
  const passed = (bytes: number) => meter.add(1, bytes, byteStringOf(Buffer.from(target)));
  await markUnfinished(target, identifier);
  const done: BroughtTree[] = [];
  for (const tree of trees) {
    await mkdir(tree.root, { recursive: true, mode: 0o700 });
    done.push(await new TreeInLine({ ...tree, owner, passed }).bring());
  }
  const known = { paths: checked.paths, tablespaces: places, searched };
  const copy = await makeRecoverable(target, { reader, options, ...known });
  await writeControlFile(reader, target, owner);
  meter.finish();
  const { programs: bin, superuser, start } = cluster ?? {};
  const tried =
    start === undefined
      ? undefined
      : await tryCopy({ folder: target, bin, superuser, signal }, copy.expected);
  const sum = (of: keyof BroughtTree) => done.reduce((total, one) => total + one[of], 0);
  return {
    files: sum('files') + copy.rolled.files,
    bytes: sum('bytes') + copy.rolled.bytes,
    bytesWritten: sum('bytesWritten') + copy.rolled.bytes,
    unchanged: sum('unchanged'),
    warnings: [],
    warningCount: 0,
    cluster: await restoredCluster(target, options, copy, tried),
  };
}

async function markUnfinished(target: string, identifier: string): Promise<void> {
  await writeFile(path.join(target, UNFINISHED), `${identifier}\n`, { mode: 0o600, flush: true });
  await syncFolder(target);
  await rm(path.join(target, CONTROL_FILE), { force: true });
  await syncFolder(path.join(target, path.dirname(CONTROL_FILE)));
}

/** The last thing that makes a cluster of it. */
async function writeControlFile(
  reader: BackupReader,
  target: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const entry = await reader.find(Buffer.from(CONTROL_FILE));
  if (entry === undefined) throw new Error('The backup was checked to have a control file.');
  const place = path.join(target, CONTROL_FILE);
  const file = await open(`${place}.new`, 'w', 0o600);
  try {
    // At its end each time; all of a piece, also when the disk takes a part of it at a time.
    for await (const piece of reader.content(entry)) await file.appendFile(piece);
    if (uid !== process.geteuid?.()) await file.chown(uid, gid);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${place}.new`, place);
  await syncFolder(path.dirname(place));
  await rm(path.join(target, UNFINISHED));
  await syncFolder(target);
}
