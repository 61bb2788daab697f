/** Puts owner, attributes, mode and times on what was restored, as far as this process may. */
import type { Entry } from '@catena/vault';
import type { RestoreOptions } from '../../port/source-driver.ts';
import {
  AccountNames,
  blamesOneFile,
  extendedAttributesOf,
  removeExtendedAttribute,
  setExtendedAttribute,
  shownName,
  systemCodeOf,
  type ByteString,
  type FolderHandle,
} from '../../system-calls/index.ts';
import type { RestoreWarnings } from './restore-warnings.ts';

/** Where a thing is on disk. */
export interface Place {
  readonly folder: FolderHandle;
  readonly name: ByteString;
}

const setIdBits = 0o6000;
const writableByOwner = 0o300;

export class Metadata {
  readonly #names = new AccountNames();
  readonly #byName: boolean;
  readonly #warnings: RestoreWarnings;

  constructor(ownership: RestoreOptions['ownership'], warnings: RestoreWarnings) {
    this.#byName = ownership !== 'id';
    this.#warnings = warnings;
  }

  /**
   * Makes a thing's metadata that of the entry. The order matters: a change of owner drops set-id bits and
   * capabilities, attributes need a writable file, and everything else would change the times.
   *
   * @param isNew made by this restore, so that it has no attributes that would have to go
   * @param keepWritable leaves a folder writable to its owner for now, because something in it still has to move
   */
  apply(
    path: ByteString,
    entry: Entry,
    place: Place,
    options: { isNew: boolean; keepWritable?: boolean },
  ): void {
    const owned = this.#setOwner(path, entry, place);
    if (!options.isNew || entry.xattrs) this.#setAttributes(path, entry, place, options.isNew);
    if (entry.kind !== 'symlink') {
      let mode = owned ? entry.mode : entry.mode & ~setIdBits;
      if (options.keepWritable) mode |= writableByOwner;
      place.folder.setMode(place.name, mode);
      if (!owned && (entry.mode & setIdBits) !== 0) {
        this.#warn(
          path,
          'restore.setIdNotKept',
          'lost its set-user-id or set-group-id bit, because its owner is another',
        );
      }
    }
    place.folder.setModified(place.name, entry.mtime);
  }

  /** Takes back what `keepWritable` allowed, when the folder is where it belongs. */
  finishMode(entry: Entry, place: Place): void {
    const { mode } = place.folder.status(place.name);
    const right = mode & ~(writableByOwner & ~entry.mode);
    if (right !== mode) place.folder.setMode(place.name, right);
  }

  /** Whether a thing has the entry's metadata already, so that not even its ctime has to change. */
  isRight(entry: Entry, place: Place): boolean {
    const status = place.folder.status(place.name);
    const { uid, gid } = this.#ownerOf(entry);
    if (status.uid !== uid || status.gid !== gid || status.mtime !== entry.mtime) return false;
    if (entry.kind !== 'symlink' && status.mode !== entry.mode) return false;
    const found = extendedAttributesOf(place.folder.pathOf(place.name));
    const wanted = entry.xattrs ?? [];
    return (
      found.length === wanted.length &&
      found.every(([name, value], index) => {
        const [wantedName, wantedValue] = wanted[index] as (typeof wanted)[number];
        return Buffer.compare(name, wantedName) === 0 && Buffer.compare(value, wantedValue) === 0;
      })
    );
  }

  #ownerOf(entry: Entry): { uid: number; gid: number } {
    const { user, group } = this.#byName ? entry : {};
    return {
      uid: (user === undefined ? undefined : this.#names.userId(user)) ?? entry.uid,
      gid: (group === undefined ? undefined : this.#names.groupId(group)) ?? entry.gid,
    };
  }

  #setOwner(path: ByteString, entry: Entry, place: Place): boolean {
    const { uid, gid } = this.#ownerOf(entry);
    const status = place.folder.status(place.name);
    if (status.uid === uid && status.gid === gid) return true;
    try {
      place.folder.setOwner(place.name, uid, gid);
      return true;
    } catch (error) {
      if (!blamesOneFile(error)) throw error;
      this.#warn(
        path,
        'restore.ownerNotKept',
        `could not be given to ${uid}:${gid} (${systemCodeOf(error)})`,
      );
      return false;
    }
  }

  #setAttributes(path: ByteString, entry: Entry, place: Place, isNew: boolean): void {
    const file = place.folder.pathOf(place.name);
    const wanted = new Map(
      (entry.xattrs ?? []).map(([name, value]) => [Buffer.from(name).toString('latin1'), value]),
    );
    if (!isNew) {
      for (const [name, value] of extendedAttributesOf(file)) {
        const key = Buffer.from(name).toString('latin1');
        const right = wanted.get(key);
        if (right !== undefined && Buffer.from(right).equals(value)) wanted.delete(key);
        else if (right === undefined && !key.startsWith('security.')) {
          this.#attempt(path, name, () => removeExtendedAttribute(file, name));
        }
      }
    }
    for (const [key, value] of wanted) {
      const name = Buffer.from(key, 'latin1');
      this.#attempt(path, name, () => setExtendedAttribute(file, name, value));
    }
  }

  #attempt(path: ByteString, name: Uint8Array, call: () => void): void {
    try {
      call();
    } catch (error) {
      if (!blamesOneFile(error)) throw error;
      const what = `could not keep its attribute '${shownName(name)}' (${systemCodeOf(error)})`;
      this.#warn(path, 'restore.attributeNotKept', what);
    }
  }

  #warn(path: ByteString, code: string, what: string): void {
    const shown = path === '' ? 'The root' : `'${shownName(path)}'`;
    this.#warnings.add(path, code, `${shown} ${what}.`);
  }
}
