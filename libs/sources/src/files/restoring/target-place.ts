/** Where a restore goes, and where it is staged until it is complete. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { RestoreError } from '../../port/restore-error.ts';
import {
  byteStringOf,
  FolderHandle,
  systemCodeOf,
  type ByteString,
  type FileStatus,
} from '../../system-calls/index.ts';
import type { Place } from './metadata.ts';
import { removeTree } from './remove-tree.ts';

const byteString = (text: string) => byteStringOf(Buffer.from(text));
const here = byteString('.');

/** Tells a run's staging folder from others'; a run's id may be anything. */
function label(run: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(run)
    ? run
    : createHash('sha256').update(run).digest('hex').slice(0, 32);
}

/** The name of what is staged, in the staging folder. */
export const STAGED_TREE = 'tree';

/** Where the tree lies that a run has staged for a target. */
export function stagedTree(target: string, run: string): string {
  using place = TargetPlace.open(target, run);
  const folder = place.stagingParent === place.parent ? path.dirname(place.path) : place.path;
  return path.join(folder, place.stagingName, STAGED_TREE);
}

export class TargetPlace {
  /** Without symbolic links. */
  readonly path: string;
  /** The folder the target is in (itself for `/`), and its name there. */
  readonly parent: FolderHandle;
  readonly name: ByteString;
  readonly status: FileStatus | undefined;
  /** Where the staging folder lies: beside the target, or inside it when that is a file system of its own. */
  readonly stagingParent: FolderHandle;
  readonly stagingName: ByteString;

  private constructor(target: string, run: string) {
    this.path = target;
    this.parent = FolderHandle.open(Buffer.from(path.dirname(target)));
    this.name = target === '/' ? here : byteString(path.basename(target));
    this.status = this.parent.statusIfThere(this.name);
    const isMount = this.status?.kind === 'folder' && this.status.device !== this.parent.status().device;
    const inside = target === '/' || isMount;
    this.stagingParent = inside ? this.parent.openFolder(this.name) : this.parent;
    const prefix = inside ? '' : `.${path.basename(target).slice(0, 100)}`;
    this.stagingName = byteString(`${prefix}.catena-restore-${label(run)}`);
  }

  /**
   * Opens the place of a target, making the folders above it.
   *
   * @param made hears of the folders that were made, outermost first
   */
  static open(target: string, run: string, made: string[] = []): TargetPlace {
    if (!path.isAbsolute(target)) {
      throw unusable(target, 'is not an absolute path', 'Name the target by its full path.');
    }
    try {
      const real = realPathOf(path.resolve(target));
      makeParents(path.dirname(real), made);
      return new TargetPlace(real, run);
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === undefined) throw error;
      throw unusable(
        target,
        `cannot be used (${code})`,
        'Choose a target in a folder that may be written to.',
        error,
      );
    }
  }

  /** Where the root of what is restored goes. */
  get root(): Place {
    return { folder: this.parent, name: this.name };
  }

  /** Whether nothing has to be kept: there is no target yet, or an empty folder that a rename replaces. */
  isFree(): boolean {
    if (this.status === undefined) return true;
    if (this.status.kind !== 'folder' || this.stagingParent !== this.parent) return false;
    using folder = this.parent.openFolder(this.name);
    return folder.names().length === 0;
  }

  /** Opens the staging folder, a new one or that of an earlier attempt of the run; nobody else may look inside. */
  openStaging(): { folder: FolderHandle; resumed: boolean } {
    const found = this.stagingParent.statusIfThere(this.stagingName);
    if (found === undefined) this.stagingParent.makeFolder(this.stagingName, 0o700);
    const folder = this.stagingParent.openFolder(this.stagingName);
    const status = folder.status();
    if (status.uid !== process.geteuid?.() || (status.mode & 0o077) !== 0) {
      folder.close();
      throw unusable(
        path.join(this.path, '..', this.stagingName),
        'is in the way: it is not a staging folder of this user',
        'Remove it, or restore to another place.',
      );
    }
    return { folder, resumed: found !== undefined };
  }

  /** Bytes that this user may still write where things are staged. */
  freeBytes(): number {
    const { bavail, bsize } = fs.statfsSync(this.stagingParent.pathOf());
    return bavail * bsize;
  }

  /** Bytes on disk of what an earlier attempt has staged. */
  stagedBytes(): number {
    const allocated = (folder: FolderHandle, name: ByteString): number => {
      const status = folder.statusIfThere(name);
      if (status?.kind !== 'folder') return Number(status?.allocated ?? 0n);
      using inner = folder.openFolder(name);
      return inner.names().reduce((sum, within) => sum + allocated(inner, within), 0);
    };
    return allocated(this.stagingParent, this.stagingName);
  }

  removeStaging(): void {
    removeTree(this.stagingParent, this.stagingName);
  }

  [Symbol.dispose](): void {
    if (this.stagingParent !== this.parent) this.stagingParent.close();
    this.parent.close();
  }
}

function unusable(target: string, what: string, remedy: string, cause?: unknown): RestoreError {
  return new RestoreError('restore.targetNotUsable', `The target '${target}' ${what}.`, {
    remedy,
    details: { target },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The path with the links of what exists of it followed, as the person who names it means it. */
function realPathOf(target: string): string {
  const missing: string[] = [];
  for (let existing = target; ; existing = path.dirname(existing)) {
    try {
      return path.join(fs.realpathSync(existing), ...missing);
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT' || existing === '/') throw error;
      // A dangling link: what it points to would be made, somewhere nobody named.
      if (fs.lstatSync(existing, { throwIfNoEntry: false })) throw error;
      missing.unshift(path.basename(existing));
    }
  }
}

function makeParents(folder: string, made: string[]): void {
  if (fs.existsSync(folder)) return;
  makeParents(path.dirname(folder), made);
  fs.mkdirSync(folder);
  made.push(folder);
}
