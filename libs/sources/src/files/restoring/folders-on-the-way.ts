import type { ByteString, FolderHandle } from '../../system-calls/index.ts';
import type { Place } from './metadata.ts';
import { isWithin, nameOf, parentOf } from './tree-path.ts';

/** The open folders of a tree on the way to the thing that is looked at, while paths come in canonical order. */
export class FoldersOnTheWay {
  readonly #root: Place;
  readonly #open: { path: ByteString; handle: FolderHandle }[] = [];

  /** @param root where the root of the tree is, which may be a file */
  constructor(root: Place) {
    this.#root = root;
  }

  /** Where a path is (it need not exist); undefined when its folder does not exist or is no folder. */
  placeOf(path: ByteString): Place | undefined {
    if (path === '') return this.#root;
    const folder = this.#enter(parentOf(path));
    return folder && { folder, name: nameOf(path) };
  }

  close(): void {
    for (const { handle } of this.#open.splice(0)) handle.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #enter(path: ByteString): FolderHandle | undefined {
    for (let top = this.#open.at(-1); top && !isWithin(path, top.path); top = this.#open.at(-1)) {
      top.handle.close();
      this.#open.pop();
    }
    const top = this.#open.at(-1);
    if (top?.path === path) return top.handle;
    const place = this.placeOf(path);
    if (place?.folder.statusIfThere(place.name)?.kind !== 'folder') return undefined;
    const handle = place.folder.openFolder(place.name);
    this.#open.push({ path, handle });
    return handle;
  }
}
