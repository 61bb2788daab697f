/** The proof of a restore: two trees laid side by side, and everything in which they differ. */
import { comparePaths, type BackupReader } from '@catena/vault';
import {
  blamesOneFile,
  bytesOf,
  shownName,
  systemCodeOf,
  type ByteString,
} from '../../system-calls/index.ts';
import { TimeSlice } from '../time-slice.ts';
import { treeInBackup, treeOnDisk, type Comparable } from './comparable.ts';

export type Difference =
  | 'missing'
  | 'extra'
  | 'kind'
  | 'content'
  | 'mode'
  | 'owner'
  | 'mtime'
  | 'linkTarget'
  | 'hardLinks'
  | 'deviceNumber'
  | 'attributes'
  | 'unreadable';

/** One way in which the second tree is not as the first. */
export interface TreeDifference {
  readonly path: Uint8Array;
  readonly difference: Difference;
  /** What is where, for people. */
  readonly message: string;
}

export interface CompareOptions {
  /** What is not to be compared, for instance owners of a tree that another user restored. */
  readonly ignore?: readonly Difference[];
  /** Of the first tree, or of the backup, only what matches; what else the other one has is no difference then. */
  readonly globs?: readonly string[];
  /** Differences after which the comparison ends. Default 1000. */
  readonly most?: number;
  readonly signal?: AbortSignal;
}

/**
 * Everything in which the tree at `b` differs from the one at `a`: content, kind, mode, owner, mtime to the
 * nanosecond, symbolic links, hard-link groups, devices, extended attributes, and what is missing or extra.
 */
export function compareTrees(a: string, b: string, options: CompareOptions = {}): Promise<TreeDifference[]> {
  const report = new Report(options);
  const first = { path: a, ...(options.globs ? { include: [...options.globs] } : {}) };
  return compare(
    treeOnDisk(first, report.unreadable, options.signal),
    treeOnDisk({ path: b }, report.unreadable, options.signal),
    report,
    options,
  );
}

/** Everything in which the tree at `folder` differs from what a backup holds. */
export function compareWithBackup(
  reader: BackupReader,
  folder: string,
  options: CompareOptions = {},
): Promise<TreeDifference[]> {
  const report = new Report(options);
  return compare(
    treeInBackup(reader, options.globs),
    treeOnDisk({ path: folder }, report.unreadable, options.signal),
    report,
    options,
  );
}

class Report {
  readonly differences: TreeDifference[] = [];
  readonly #ignored: ReadonlySet<Difference>;
  readonly #most: number;

  constructor(options: CompareOptions) {
    this.#ignored = new Set(options.ignore);
    this.#most = options.most ?? 1000;
  }

  get isFull(): boolean {
    return this.differences.length >= this.#most;
  }

  readonly unreadable = (path: ByteString, message: string): void => {
    this.add(path, 'unreadable', message);
  };

  add(path: ByteString, difference: Difference, what: string): void {
    if (this.#ignored.has(difference)) return;
    const shown = path === '' ? 'the root' : `'${shownName(path)}'`;
    this.differences.push({
      path: bytesOf(path),
      difference,
      message: difference === 'unreadable' ? what : `${shown}: ${what}`,
    });
  }
}

async function compare(
  first: AsyncGenerator<Comparable>,
  second: AsyncGenerator<Comparable>,
  report: Report,
  options: CompareOptions,
): Promise<TreeDifference[]> {
  const slice = new TimeSlice(options.signal);
  const partial = (options.globs?.length ?? 0) > 0;
  try {
    let a = await first.next();
    let b = await second.next();
    while (!(a.done && b.done) && !report.isFull) {
      const order = a.done ? 1 : b.done ? -1 : comparePaths(a.value.bytes, b.value.bytes);
      if (!a.done && order < 0) report.add(a.value.path, 'missing', `missing (${a.value.kind})`);
      if (!b.done && order > 0 && !partial) report.add(b.value.path, 'extra', `extra (${b.value.kind})`);
      if (!a.done && !b.done && order === 0) await compareReadable(a.value, b.value, report);
      if (order <= 0) a = await first.next();
      if (order >= 0) b = await second.next();
      if (slice.isOver) await slice.giveWay();
    }
    return report.differences;
  } finally {
    await first.return(undefined);
    await second.return(undefined);
  }
}

async function compareReadable(a: Comparable, b: Comparable, report: Report): Promise<void> {
  try {
    await compareThings(a, b, report);
  } catch (error) {
    if (!blamesOneFile(error)) throw error;
    report.unreadable(a.path, `'${shownName(a.path)}' cannot be read (${systemCodeOf(error)}).`);
  }
}

async function compareThings(a: Comparable, b: Comparable, report: Report): Promise<void> {
  const differ = (difference: Difference, left: unknown, right: unknown): void => {
    report.add(a.path, difference, `${difference} is ${String(right)} instead of ${String(left)}`);
  };
  if (a.kind !== b.kind) {
    differ('kind', a.kind, b.kind);
    return;
  }
  if (a.kind !== 'symlink' && a.mode !== b.mode) differ('mode', a.mode.toString(8), b.mode.toString(8));
  if (a.uid !== b.uid || a.gid !== b.gid) differ('owner', `${a.uid}:${a.gid}`, `${b.uid}:${b.gid}`);
  if (a.mtime !== b.mtime) differ('mtime', a.mtime, b.mtime);
  if (a.deviceNumber !== b.deviceNumber) differ('deviceNumber', a.deviceNumber, b.deviceNumber);
  if (a.firstName !== b.firstName) differ('hardLinks', shownName(a.firstName), shownName(b.firstName));
  if (Buffer.compare(a.linkTarget, b.linkTarget) !== 0) {
    differ('linkTarget', shownName(a.linkTarget), shownName(b.linkTarget));
  }
  const [left, right] = [shownAttributes(a), shownAttributes(b)];
  if (left !== right) differ('attributes', left || 'none', right || 'none');
  if (a.kind !== 'file') return;
  const further = [a.firstName !== a.path, b.firstName !== b.path];
  // What has the same first name was compared there; a further name has no size of its own.
  if (a.firstName === b.firstName && further.every(Boolean)) return;
  if (!further.some(Boolean) && a.size !== b.size) {
    differ('content', `${a.size} bytes`, `${b.size} bytes`);
    return;
  }
  const [hashA, hashB] = [hex(await a.hash()), hex(await b.hash())];
  if (hashA !== hashB) differ('content', hashA, hashB);
}

function shownAttributes(thing: Comparable): string {
  return thing
    .attributes()
    .map(([name, value]) => `${shownName(name)}=${hex(value)}`)
    .join(' ');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
