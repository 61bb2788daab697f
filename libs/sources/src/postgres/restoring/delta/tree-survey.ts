/** What is at the place of a tree beside what a backup holds: looked at before anything of it is changed. */
import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { BackupReader } from '@catena/vault';
import { safePath } from '../../../files/restoring/safe-path.ts';
import { systemCodeOf, bytesOf, type ByteString } from '../../../system-calls/index.ts';

export interface TreeToSurvey {
  readonly reader: BackupReader;
  readonly root: string;
  /** Paths that are neither written nor removed. */
  readonly spared: ReadonlySet<string>;
  /** False: what is in the root itself may be others'; only what lies deeper is removed. */
  readonly ownsRoot: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface SurveyedTree {
  /** Paths of the backup. */
  readonly names: ReadonlySet<string>;
  /** Bytes that files take which are not there or are shorter. */
  readonly needed: number;
  /** Bytes that are given back by what is not in the backup. */
  readonly freed: number;
}

const BLOCK = 4096;
/** Of the blocks that a file's status counts. */
const STATUS_BLOCK = 512;

export async function surveyTree(tree: TreeToSurvey): Promise<SurveyedTree> {
  const { reader, root, spared, signal } = tree;
  const names = new Set(['']);
  let needed = 0;
  for await (const entry of reader.entries()) {
    signal?.throwIfAborted();
    const name = nameIn(safePath(entry.path));
    names.add(name);
    if (entry.kind !== 'file') continue;
    const status = await lstat(path.join(root, name)).catch(() => undefined);
    // What another name shares is written anew, so that the other keeps what it has.
    const isKept = status?.isFile() === true && (status.nlink === 1 || spared.has(name));
    needed += Math.max(0, whole(Number(entry.size)) - (isKept ? whole(status.size) : 0));
  }
  let freed = 0;
  for await (const name of othersIn(tree, names)) freed += await freedBy(path.join(root, name));
  return { names, needed, freed };
}

/** How an entry's path is called here. */
export function nameIn(path: ByteString): string {
  return Buffer.from(bytesOf(path)).toString('utf8');
}

/** Paths of what is there and not in the backup; of a folder only its own. */
export async function* othersIn(
  tree: Pick<TreeToSurvey, 'root' | 'spared' | 'ownsRoot'>,
  names: ReadonlySet<string>,
  folder = '',
): AsyncGenerator<string, void, void> {
  for (const entry of await entriesOf(path.join(tree.root, folder))) {
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (tree.spared.has(name)) continue;
    if (!names.has(name)) {
      if (folder !== '' || tree.ownsRoot) yield name;
    } else if (entry.isDirectory()) yield* othersIn(tree, names, name);
  }
}

/** Of a folder that is not there yet, nothing. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Bytes that are given back when what is there is removed. */
export async function freedBy(place: string): Promise<number> {
  const status = await lstat(place).catch(() => undefined);
  if (status === undefined) return 0;
  if (status.isFile()) return status.nlink === 1 ? status.blocks * STATUS_BLOCK : 0;
  if (!status.isDirectory()) return 0;
  let freed = 0;
  for (const name of await readdir(place)) freed += await freedBy(path.join(place, name));
  return freed;
}

function whole(bytes: number): number {
  return Math.ceil(bytes / BLOCK) * BLOCK;
}
