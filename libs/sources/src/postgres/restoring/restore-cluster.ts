/** The restore of a cluster: a tree like any other, checked against the server's own list and made safe to start. */
import { chown, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { BackupReader } from '@catena/vault';
import { FilesRestore } from '../../files/restoring/restore-files.ts';
import { stagedTree } from '../../files/restoring/target-place.ts';
import { RestoreError } from '../../port/restore-error.ts';
import type { DriverProgress, RestoreOptions, RestoreOutcome } from '../../port/source-driver.ts';
import { checkAgainstManifest } from './check-manifest.ts';
import { prepareCopy, TO_END_OF_BACKUP } from './prepare-copy.ts';
import { checkLogs, recoveryLines, writeLogs } from './roll-logs.ts';
import { dataFolderView, tablespaceView } from './reader-view.ts';

/** Restores a whole cluster into a data folder that does not exist or is empty. */
export async function restoreCluster(
  reader: BackupReader,
  target: string,
  options: RestoreOptions,
): Promise<RestoreOutcome> {
  options.signal?.throwIfAborted();
  if (options.globs !== undefined && options.globs.length > 0) throw refusePart(target);
  await refuseOccupied(target);
  const { logs = [], stop } = options;
  checkLogs(reader, logs);
  const { paths, tablespaces } = await checkAgainstManifest(reader);
  const places = new Map(tablespaces.map((oid) => [oid, `${target}.tablespaces/${oid}`]));
  for (const place of places.values()) await refuseOccupied(place);
  const progress = new SharedProgress(options);
  const outcomes: RestoreOutcome[] = [];
  const { beforeVisible, ...common } = options;
  // The data folder comes last: it is what makes a cluster of them.
  for (const [oid, place] of places)
    outcomes.push(await new FilesRestore(tablespaceView(reader, oid), place, progress.part(common)).run());
  let rolled = { files: 0, bytes: 0 };
  const prepare = async () => {
    const staged = stagedTree(target, options.run);
    await prepareCopy(staged, {
      paths,
      tablespaces: places,
      recovery: logs.length === 0 ? TO_END_OF_BACKUP : recoveryLines({ logs, stop }),
      driverDetails: reader.manifest.driverDetails ?? {},
    });
    await giveToOwner(staged);
    rolled = await writeLogs(staged, logs, await stat(path.join(staged, 'PG_VERSION')), options.signal);
    await beforeVisible?.();
  };
  const main = { ...progress.part(common), beforeVisible: prepare };
  outcomes.push(await new FilesRestore(dataFolderView(reader), target, main).run());
  const all = outcomes.reduce(sumOf);
  const { files, bytes } = rolled;
  return {
    ...all,
    files: all.files + files,
    bytes: all.bytes + bytes,
    bytesWritten: all.bytesWritten + bytes,
  };
}

/** The files that were added belong to whom the rest belongs to: the server refuses to run as anybody else. */
async function giveToOwner(folder: string): Promise<void> {
  const { uid, gid } = await stat(path.join(folder, 'PG_VERSION'));
  if (uid === process.geteuid?.()) return;
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isFile()) await chown(path.join(folder, entry.name), uid, gid);
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
    { remedy: 'Name a folder that does not exist or is empty.', details: { path: target } },
  );
}

function refusePart(target: string): RestoreError {
  return new RestoreError(
    'restore.targetNotUsable',
    'Single files of a cluster mean nothing without the others, so it is restored whole.',
    { remedy: 'Leave out what selects files.', details: { target } },
  );
}

function sumOf(a: RestoreOutcome, b: RestoreOutcome): RestoreOutcome {
  return {
    files: a.files + b.files,
    bytes: a.bytes + b.bytes,
    bytesWritten: a.bytesWritten + b.bytesWritten,
    unchanged: a.unchanged + b.unchanged,
    warnings: [...a.warnings, ...b.warnings],
    warningCount: a.warningCount + b.warningCount,
  };
}

/** Several trees, told as one. */
class SharedProgress {
  readonly #options: RestoreOptions;
  #files = 0;
  #bytes = 0;

  constructor(options: RestoreOptions) {
    this.#options = options;
  }

  part(options: Omit<RestoreOptions, 'beforeVisible'>): RestoreOptions {
    const { progress } = this.#options;
    if (progress === undefined) return options;
    const before = { files: this.#files, bytes: this.#bytes };
    return {
      ...options,
      progress: ({ files, bytes, current }: DriverProgress) => {
        this.#files = before.files + files;
        this.#bytes = before.bytes + bytes;
        progress({
          files: this.#files,
          bytes: this.#bytes,
          ...(current === undefined ? {} : { current }),
        });
      },
    };
  }
}
