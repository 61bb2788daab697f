/**
 * A folder into which a server's archive_command puts its log (`catena wal push`), and from which log backups take it. It
 * needs nothing of the platform: a push is done when the file is durable here.
 */
import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { readSegmentHeader } from './segment-header.ts';
import { laterSegment, positionOfSegment, readWalFileName, type WalFileName } from './wal-file-name.ts';
import { WalSpoolError } from './wal-spool-error.ts';

/** Whose log the folder takes. */
const CLUSTER = 'cluster.json';

interface ClusterOfSpool {
  readonly systemIdentifier: string;
  readonly segmentSize: string;
}

export class WalSpool {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Takes over a file of the log. When this resolves, it is durable. The same file again is no error.
   * @returns whether it was there already
   * @throws WalSpoolError
   */
  async push(file: string): Promise<'added' | 'there'> {
    const name = path.basename(file);
    const kind = readWalFileName(name);
    if (kind === undefined)
      throw new WalSpoolError('wal.not-a-log-file', `${name} is no file of a PostgreSQL log.`, {
        remedy: "Use it as archive_command = 'catena wal push %p --spool FOLDER'.",
        details: { file },
      });
    const bytes = await readFile(file);
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await this.#checkContent(name, kind, bytes);
    return (await this.#add(name, bytes)) ? 'added' : 'there';
  }

  /**
   * Copies a file of the log to where the server wants it.
   * @returns false when it is not here
   * @throws WalSpoolError `wal.spool-unusable` when nothing was ever pushed here: is it mounted?
   */
  async fetch(name: string, target: string): Promise<boolean> {
    try {
      await copyFile(path.join(this.folder, name), target);
      return true;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || !(await exists(path.dirname(target)))) {
        await rm(target, { force: true });
        throw error;
      }
    }
    if (await this.#isBlank())
      throw new WalSpoolError(
        'wal.spool-unusable',
        `The folder ${this.folder} is not there, or nothing was ever pushed into it.`,
        { remedy: 'Is it mounted? Whether it has the log cannot be said.', details: { folder: this.folder } },
      );
    return false;
  }

  /**
   * A segment of the same timeline that comes after a name, when there is one: then that one was here, or is missing.
   * @param name of a file of the log that is not here
   */
  async laterThan(name: string): Promise<string | undefined> {
    return laterSegment(name, await this.names());
  }

  async #isBlank(): Promise<boolean> {
    return !(await exists(this.at(CLUSTER))) && (await this.names()).length === 0;
  }

  /** Names of files of the log, in order; none when nothing was ever pushed. */
  async names(): Promise<string[]> {
    try {
      const names = await readdir(this.folder);
      return names.filter((name) => readWalFileName(name) !== undefined).toSorted();
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw new WalSpoolError(
        'wal.spool-unusable',
        `The folder ${this.folder}, which takes the log, cannot be read: ${String(error)}.`,
        {
          remedy: 'Make it readable for the user that the mover runs as.',
          retryable: true,
          cause: error,
          details: { folder: this.folder },
        },
      );
    }
  }

  at(name: string): string {
    return path.join(this.folder, name);
  }

  /** Lets go of segments that end at or before a position, whatever their timeline. */
  async release(position: bigint, segmentSize: bigint): Promise<void> {
    for (const name of await this.names()) {
      const read = readWalFileName(name);
      if (read === undefined || read.kind === 'history') continue;
      const segment = name.slice(0, 24);
      if (positionOfSegment(segment, segmentSize) + segmentSize <= position) await rm(this.at(name));
    }
  }

  async #checkContent(name: string, kind: WalFileName, bytes: Buffer): Promise<void> {
    if (kind.kind !== 'segment' && kind.kind !== 'partial') return;
    const header = readSegmentHeader(bytes);
    const isRight =
      header !== undefined &&
      header.segmentSize === BigInt(bytes.length) &&
      header.position === positionOfSegment(kind.segment, header.segmentSize);
    if (!isRight)
      throw new WalSpoolError('wal.damaged', `What is in ${name} is not the segment that its name says.`, {
        remedy: 'Look at the file in pg_wal: it is not taken, and the server keeps it.',
        details: { name },
      });
    const { systemIdentifier, segmentSize } = header;
    await this.#checkCluster(name, { systemIdentifier, segmentSize: segmentSize.toString() });
  }

  /** The first segment decides whose log the folder takes. */
  async #checkCluster(name: string, own: ClusterOfSpool): Promise<void> {
    const text = JSON.stringify(own);
    const known = await readFile(this.at(CLUSTER), 'utf8').catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (known === text) return;
    if (known === undefined) {
      await this.#add(CLUSTER, Buffer.from(text));
      return;
    }
    throw new WalSpoolError(
      'wal.other-cluster',
      `${name} is of the cluster ${own.systemIdentifier}; the folder ${this.folder} takes the log of another.`,
      { remedy: 'Give each cluster a folder of its own.', details: { folder: this.folder } },
    );
  }

  /** Creates a file whole or not at all; false when the same one is there. */
  async #add(name: string, bytes: Buffer): Promise<boolean> {
    const target = this.at(name);
    const staged = this.at(`.${name}.${randomUUID()}.new`);
    const handle = await open(staged, 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    let added = true;
    try {
      await link(staged, target);
    } catch (error) {
      // Whoever pushes the same at the same time removes what was staged for it when he is done.
      const isThere = codeOf(error) === 'EEXIST' || (codeOf(error) === 'ENOENT' && (await exists(target)));
      if (!isThere) throw error;
      added = false;
    } finally {
      await this.#clear(name);
    }
    if (!added && !(await readFile(target)).equals(bytes))
      throw new WalSpoolError(
        'wal.other-content',
        `${name} is in ${this.folder} already, with other content. It was not replaced.`,
        {
          remedy:
            'Two servers push into one folder, or one was restored and went on by itself: give each a folder of its own.',
          details: { name, folder: this.folder },
        },
      );
    await syncFolder(this.folder);
    return added;
  }

  /** Removes what was staged for a file, also by pushes that were killed or met a full disk: the server pushes it again. */
  async #clear(name: string): Promise<void> {
    const staged = (await readdir(this.folder)).filter(
      (one) => one.startsWith(`.${name}.`) && one.endsWith('.new'),
    );
    for (const one of staged) await rm(this.at(one), { force: true });
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function exists(place: string): Promise<boolean> {
  return await stat(place).then(
    () => true,
    () => false,
  );
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
