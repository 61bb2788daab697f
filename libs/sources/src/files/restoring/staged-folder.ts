import type { StoredEntry } from '@catena/vault';
import type { ByteString, FolderHandle } from '../../system-calls/index.ts';
import { enter } from './remove-tree.ts';
import { nameOf } from './tree-path.ts';

/**
 * A folder of the backup while its content is being staged: its double in the staging tree, made when it is first
 * needed, and the folder of the same path at the target if there is one. It lives until all work in it is done.
 */
export class StagedFolder {
  readonly path: ByteString;
  readonly entry: StoredEntry;
  /** The folder at the target, open; undefined when it is not there (then nothing in it is). */
  readonly target: FolderHandle | undefined;
  readonly #makeIn: () => { folder: FolderHandle; name: ByteString };
  readonly #above: StagedFolder | undefined;
  readonly #finish: (folder: StagedFolder) => void;
  #staged: FolderHandle | undefined;
  #holds = 1;

  /**
   * @param above the folder it is in, or where the root's double goes
   * @param finish called when everything in it is done, before it is closed
   */
  constructor(
    path: ByteString,
    entry: StoredEntry,
    target: FolderHandle | undefined,
    above: StagedFolder | { readonly folder: FolderHandle; readonly name: ByteString },
    finish: (folder: StagedFolder) => void,
  ) {
    this.path = path;
    this.entry = entry;
    this.target = target;
    this.#finish = finish;
    this.#above = above instanceof StagedFolder ? above.hold() : undefined;
    this.#makeIn = () =>
      above instanceof StagedFolder ? { folder: above.staged, name: nameOf(path) } : above;
  }

  /** The double in the staging tree. */
  get staged(): FolderHandle {
    if (this.#staged) return this.#staged;
    const { folder, name } = this.#makeIn();
    if (folder.statusIfThere(name) === undefined) folder.makeFolder(name, 0o700);
    this.#staged = enter(folder, name);
    return this.#staged;
  }

  /** Where the double is. */
  get stagedPlace(): { folder: FolderHandle; name: ByteString } {
    return this.#makeIn();
  }

  /** Keeps the folder open until a matching `release`. */
  hold(): this {
    this.#holds += 1;
    return this;
  }

  release(): void {
    this.#holds -= 1;
    if (this.#holds > 0) return;
    try {
      this.#finish(this);
    } finally {
      this.close();
      this.#above?.release();
    }
  }

  /** Closes without finishing. */
  close(): void {
    this.#staged?.close();
    this.target?.close();
  }
}
