/** What an entry of a backup can be. */
export type EntryKind = 'file' | 'folder' | 'symlink' | 'fifo' | 'socket' | 'blockDevice' | 'characterDevice';

/**
 * One thing in a backup. Entries have a canonical order: byte order of the path, where '/' sorts before every
 * other byte, so that a folder comes right before its content (see `comparePaths`).
 */
export interface Entry {
  /** Relative to the source's root, '/'-separated, raw bytes, no leading or trailing '/'; empty is the root itself. */
  readonly path: Uint8Array;
  readonly kind: EntryKind;
  /** Permission bits as in `stat.st_mode & 0o7777`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly user?: string;
  readonly group?: string;
  /** Nanoseconds since 1970, like every time here. */
  readonly mtime: bigint;
  readonly ctime: bigint;
  readonly inode: bigint;
  readonly device: bigint;
  /** Bytes of content; 0 for everything that is not a file. */
  readonly size: bigint;
  /** Only for symlinks. */
  readonly linkTarget?: Uint8Array;
  /** Path of the first entry of the hard-link group; such an entry has no content of its own. */
  readonly hardLink?: Uint8Array;
  /** Only for devices: `st_rdev`. */
  readonly deviceNumber?: bigint;
  /** Extended attributes, sorted by name; ACLs are among them (`system.posix_acl_*`). */
  readonly xattrs?: readonly (readonly [name: Uint8Array, value: Uint8Array])[];
}

/**
 * Where the content of a stored entry lies. Opaque outside the vault: it is valid only together with the backup it
 * was read from and with backups that descend from it.
 */
export interface ContentRef {
  readonly size: bigint;
  /** SHA-256 of the whole content; absent when it was given as changes, so that nobody has seen all of it. */
  readonly sha256?: Uint8Array;
  readonly cut: CutMethod;
  /** The reference as stored. */
  readonly encoded: Uint8Array;
}

/** How a file is cut into blocks; it stays for the life of a chain. */
export type CutMethod =
  | { readonly kind: 'fixed'; readonly blockSize: number }
  | { readonly kind: 'contentDefined'; readonly averageSize: number };

/** An entry as it is kept in a backup. */
export interface StoredEntry extends Entry {
  /** Wall clock when reading the content (or, without content, the entry) began, in nanoseconds since 1970. */
  readonly readAt: bigint;
  /** Present for files that have content of their own, also when it is empty. */
  readonly content?: ContentRef;
}
