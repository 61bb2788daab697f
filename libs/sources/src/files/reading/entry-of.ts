import type { Entry, StoredEntry } from '@catena/vault';
import {
  AccountNames,
  blamesOneFile,
  extendedAttributesOf,
  extendedAttributesOfOpen,
  shownName,
  systemCodeOf,
  type FileStatus,
} from '../../system-calls/index.ts';
import { attributeOfFlags } from '../inode-flags-attribute.ts';
import type { Found } from './walk.ts';

type Attributes = NonNullable<Entry['xattrs']>;
export type WarnOfAttributes = (code: 'file.attributesUnreadable', message: string) => void;

/** Makes entries of what the walk found. One for each backup, because it remembers the accounts' names. */
export class EntryMaker {
  readonly #names = new AccountNames();

  /** The entry as far as the status tells. */
  of(path: Uint8Array, status: FileStatus): Entry {
    const user = this.#names.userName(status.uid);
    const group = this.#names.groupName(status.gid);
    return {
      path,
      kind: status.kind,
      mode: status.mode,
      uid: status.uid,
      gid: status.gid,
      ...(user === undefined ? {} : { user }),
      ...(group === undefined ? {} : { group }),
      mtime: status.mtime,
      ctime: status.ctime,
      inode: status.inode,
      device: status.device,
      size: status.kind === 'file' ? status.size : 0n,
      ...(status.deviceNumber === 0n ? {} : { deviceNumber: status.deviceNumber }),
    };
  }

  /** The entry with what takes further calls. @param file its descriptor, if it is open */
  complete(found: Found, entry: Entry, warn: WarnOfAttributes, file?: number): Entry {
    const flags = attributeOfFlags(found.status);
    const own = attributesOf(found, warn, file);
    const xattrs = flags ? [flags, ...own] : own;
    if (xattrs.length === 0 && entry.kind !== 'symlink') return entry;
    return {
      ...entry,
      ...(entry.kind === 'symlink' ? { linkTarget: found.folder.readLink(found.name) } : {}),
      ...(xattrs.length === 0 ? {} : { xattrs }),
    };
  }

  /** The same for a thing that is as it was: none of it can have changed without the ctime. */
  completeAsBefore(entry: Entry, before: StoredEntry): Entry {
    return {
      ...entry,
      ...(before.linkTarget === undefined ? {} : { linkTarget: before.linkTarget }),
      ...(before.xattrs === undefined ? {} : { xattrs: before.xattrs }),
    };
  }
}

function attributesOf(found: Found, warn: WarnOfAttributes, file: number | undefined): Attributes {
  try {
    if (file !== undefined) return extendedAttributesOfOpen(file);
    return extendedAttributesOf(found.folder.pathOf(found.name));
  } catch (error) {
    if (!blamesOneFile(error)) throw error;
    // Gone: whatever is done with the file next will say so.
    if (systemCodeOf(error) !== 'ENOENT') {
      const reason = systemCodeOf(error);
      const shown = shownName(found.path);
      warn(
        'file.attributesUnreadable',
        `The extended attributes of '${shown}' cannot be read (${reason}); they are not in the backup.`,
      );
    }
    return [];
  }
}
