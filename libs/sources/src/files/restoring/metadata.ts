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
import { attributesForFileSystem, flagsOf } from '../inode-flags-attribute.ts';
import { FlagKeeper } from './flag-keeper.ts';
import type { RestoreWarnings } from './restore-warnings.ts';

/** Where a thing is on disk. */
export interface Place {
  readonly folder: FolderHandle;
  readonly name: ByteString;
}

/** What is put on a thing after its content. */
export type RestoredMetadata = Pick<
  Entry,
  'kind' | 'mode' | 'uid' | 'gid' | 'user' | 'group' | 'mtime' | 'xattrs'
>;

const setIdBits = 0o6000;
const writableByOwner = 0o300;
const endOf32Bits = 2n ** 31n * 1_000_000_000n;

export class Metadata {
  readonly #names = new AccountNames();
  readonly #byName: boolean;
  readonly #warnings: RestoreWarnings;
  /** Whether the file system was seen to keep a time to the nanosecond. */
  #keepsNanoseconds = false;
  readonly flags: FlagKeeper;
  /** Whose a thing is that was made in a folder: the same for all that is made there. */
  #madeIn: { readonly folder: FolderHandle; readonly uid: number; readonly gid: number } | undefined;

  constructor(ownership: RestoreOptions['ownership'], warnings: RestoreWarnings) {
    this.#byName = ownership !== 'id';
    this.#warnings = warnings;
    this.flags = new FlagKeeper(warnings);
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
    entry: RestoredMetadata,
    place: Place,
    options: { isNew: boolean; keepWritable?: boolean },
  ): void {
    if (!options.isNew) this.#unlock(path, place);
    const owned = this.#setOwner(path, entry, place, options.isNew);
    if (!options.isNew || entry.xattrs) this.#setAttributes(path, entry, place, options.isNew);
    if (entry.kind !== 'symlink') {
      let mode = owned ? entry.mode : entry.mode & ~setIdBits;
      if (options.keepWritable) mode |= writableByOwner;
      this.#attempt(path, 'restore.modeNotKept', `the mode ${mode.toString(8)}`, () =>
        place.folder.setMode(place.name, mode),
      );
      if (!owned && (entry.mode & setIdBits) !== 0) {
        this.#warnings.lost(
          path,
          'restore.setIdNotKept',
          'lost its set-user-id or set-group-id bit, because its owner is another',
        );
      }
    }
    this.#setTime(path, entry, place);
    const flags = flagsOf(entry);
    if (flags) this.flags.note(path, flags);
  }

  /** Takes back what `keepWritable` allowed, when the folder is where it belongs. */
  finishMode(entry: RestoredMetadata, place: Place): void {
    const { mode } = place.folder.status(place.name);
    const right = mode & ~(writableByOwner & ~entry.mode);
    if (right !== mode) place.folder.setMode(place.name, right);
  }

  /** Whether a thing has the entry's metadata already, so that not even its ctime has to change. */
  isRight(entry: RestoredMetadata, place: Place): boolean {
    const status = place.folder.status(place.name);
    const { uid, gid } = this.ownerOf(entry);
    if (status.uid !== uid || status.gid !== gid || status.mtime !== entry.mtime) return false;
    if (entry.kind !== 'symlink' && status.mode !== entry.mode) return false;
    const flags = flagsOf(entry);
    if (status.immutable !== (flags?.immutable ?? false)) return false;
    if (status.appendOnly !== (flags?.appendOnly ?? false)) return false;
    const found = extendedAttributesOf(place.folder.pathOf(place.name));
    const wanted = attributesForFileSystem(entry);
    return (
      found.length === wanted.length &&
      found.every(([name, value], index) => {
        const [wantedName, wantedValue] = wanted[index] as (typeof wanted)[number];
        return Buffer.compare(name, wantedName) === 0 && Buffer.compare(value, wantedValue) === 0;
      })
    );
  }

  /** The ids of whose a thing becomes. */
  ownerOf(entry: RestoredMetadata): { uid: number; gid: number } {
    const { user, group } = this.#byName ? entry : {};
    return {
      uid: (user === undefined ? undefined : this.#names.userId(user)) ?? entry.uid,
      gid: (group === undefined ? undefined : this.#names.groupId(group)) ?? entry.gid,
    };
  }

  #setOwner(path: ByteString, entry: RestoredMetadata, place: Place, isNew: boolean): boolean {
    const { uid, gid } = this.ownerOf(entry);
    const owner = isNew ? this.#ownerOfNew(place) : place.folder.ownerOf(place.name);
    if (owner.uid === uid && owner.gid === gid) return true;
    try {
      place.folder.setOwner(place.name, uid, gid);
      return true;
    } catch (error) {
      if (!blamesOneFile(error)) throw error;
      this.#warnings.lost(
        path,
        'restore.ownerNotKept',
        `could not be given to ${uid}:${gid} (${systemCodeOf(error)})`,
      );
      return false;
    }
  }

  #ownerOfNew({ folder, name }: Place): { readonly uid: number; readonly gid: number } {
    if (this.#madeIn?.folder !== folder) this.#madeIn = { folder, ...folder.ownerOf(name) };
    return this.#madeIn;
  }

  #setAttributes(path: ByteString, entry: RestoredMetadata, place: Place, isNew: boolean): void {
    const file = place.folder.pathOf(place.name);
    const wanted = new Map(
      attributesForFileSystem(entry).map(([name, value]) => [Buffer.from(name).toString('latin1'), value]),
    );
    if (!isNew) {
      for (const [name, value] of extendedAttributesOf(file)) {
        const key = Buffer.from(name).toString('latin1');
        const right = wanted.get(key);
        if (right !== undefined && Buffer.from(right).equals(value)) wanted.delete(key);
        else if (right === undefined && !key.startsWith('security.')) {
          this.#attemptAttribute(path, name, () => removeExtendedAttribute(file, name));
        }
      }
    }
    for (const [key, value] of wanted) {
      const name = Buffer.from(key, 'latin1');
      this.#attemptAttribute(path, name, () => setExtendedAttribute(file, name, value));
    }
  }

  /** A file system may not be able to keep a time: it then stores the nearest one that it can, without a word. */
  #setTime(path: ByteString, entry: RestoredMetadata, place: Place): void {
    this.#attempt(path, 'restore.timeNotKept', 'its time', () =>
      place.folder.setModified(place.name, entry.mtime),
    );
    if (entry.mtime >= 0n && entry.mtime < endOf32Bits && this.#keepsNanoseconds) return;
    const { mtime } = place.folder.status(place.name);
    if (mtime === entry.mtime) this.#keepsNanoseconds ||= entry.mtime % 1_000n !== 0n;
    else
      this.#warnings.lost(
        path,
        'restore.timeNotKept',
        `could not keep its time: the file system here made ${mtime} of ${entry.mtime} ns`,
      );
  }

  /** What is immutable or append-only can be given nothing. */
  #unlock(path: ByteString, place: Place): void {
    const { immutable, appendOnly } = place.folder.status(place.name);
    if (!immutable && !appendOnly) return;
    this.#attempt(path, 'restore.flagNotKept', 'its flags', () =>
      place.folder.setFlags(place.name, { immutable: false, appendOnly: false }),
    );
  }

  #attemptAttribute(path: ByteString, name: Uint8Array, call: () => void): void {
    this.#attempt(path, 'restore.attributeNotKept', `its attribute '${shownName(name)}'`, call);
  }

  #attempt(path: ByteString, code: string, what: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      if (!blamesOneFile(error)) throw error;
      this.#warnings.lost(path, code, `could not keep ${what} (${systemCodeOf(error)})`);
    }
  }
}
