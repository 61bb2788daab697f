/** Source driver for file trees. */
import { crashPoint, type BackupReader, type BackupWriter } from '@catena/vault';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type {
  BackupOptions,
  BackupOutcome,
  CheckContext,
  RestoreOptions,
  RestoreOutcome,
  SourceDriver,
  SourceTotals,
} from '../port/source-driver.ts';
import { SourceError } from '../port/source-error.ts';
import { refuseClusterOptions } from '../port/refuse-cluster-options.ts';
import { FolderHandle, fileSystemIdentity, systemCodeOf } from '../system-calls/index.ts';
import { existingPart } from './existing-part.ts';
import { parseFilesSpec, type FilesSpec } from './files-spec.ts';
import { FilesBackup } from './reading/backup-files.ts';
import { estimate } from './reading/estimate.ts';
import { FilesRestore } from './restoring/restore-files.ts';

/** Where fault tests let a restore die. */
const crashMoments = {
  staged: () => crashPoint('files.restoreStaged'),
  moved: () => crashPoint('files.restoreMoved'),
};

class FilesDriver implements SourceDriver {
  readonly name = 'files';
  readonly capabilities = { givesLogs: false, givesPast: false };

  async check(spec: unknown, context: CheckContext = {}): Promise<void> {
    const parsed = parseFilesSpec(spec);
    const root = await this.#realPath(parsed);
    await refuseUnreadable(root);
    if (context.repositoryFolder === undefined) return;
    const repository = await existingPart(context.repositoryFolder);
    if (!isInside(repository, root)) return;
    throw new SourceError(
      'source.repositoryInside',
      `The repository '${context.repositoryFolder}' lies inside its own source '${parsed.path}': each backup would hold the ones before it.`,
      {
        remedy: 'Move the repository out of the source, or choose a source that does not hold it.',
        details: { source: parsed.path, repository: context.repositoryFolder },
      },
    );
  }

  async family(spec: unknown): Promise<string> {
    const root = await this.#realPath(parseFilesSpec(spec));
    return `${fileSystemIdentity(Buffer.from(root))}:${root}`;
  }

  async estimate(spec: unknown, options: { signal?: AbortSignal } = {}): Promise<SourceTotals> {
    const parsed = parseFilesSpec(spec);
    await this.#realPath(parsed);
    return estimate(parsed, options.signal);
  }

  async backup(spec: unknown, writer: BackupWriter, options: BackupOptions = {}): Promise<BackupOutcome> {
    const parsed = parseFilesSpec(spec);
    await refuseUnreadable(await this.#realPath(parsed));
    return new FilesBackup(parsed, writer, options).run();
  }

  async restore(reader: BackupReader, target: string, options: RestoreOptions): Promise<RestoreOutcome> {
    refuseClusterOptions(options);
    return await new FilesRestore(reader, target, options, crashMoments).run();
  }

  async #realPath(spec: FilesSpec): Promise<string> {
    try {
      return await fs.promises.realpath(spec.path);
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === undefined) throw error;
      if (code === 'EACCES') throw notReadable(spec.path, code);
      throw new SourceError('source.notFound', `The source path '${spec.path}' does not exist (${code}).`, {
        remedy: 'Correct the path in the Source definition, or mount what belongs there.',
        retryable: true,
        details: { path: spec.path },
        cause: error,
      });
    }
  }
}

async function refuseUnreadable(root: string): Promise<void> {
  try {
    if ((await fs.promises.stat(root)).isDirectory()) {
      using folder = FolderHandle.open(Buffer.from(root));
      folder.names();
    } else await fs.promises.access(root, fs.constants.R_OK);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === undefined) throw error;
    throw notReadable(root, code);
  }
}

function notReadable(root: string, code: string): SourceError {
  return new SourceError('source.notReadable', `The source '${root}' cannot be read (${code}).`, {
    remedy: 'Give the user that the mover runs as the right to read it, or run the mover as one that may.',
    details: { path: root },
  });
}

function isInside(inner: string, outer: string): boolean {
  const way = path.relative(outer, inner);
  return way === '' || (!way.startsWith(`..${path.sep}`) && way !== '..' && !path.isAbsolute(way));
}

/** Backs up and restores folders and files of this machine. */
export const filesDriver: SourceDriver = new FilesDriver();
