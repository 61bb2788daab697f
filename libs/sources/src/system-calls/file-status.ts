/** What the system knows about a file, in whole nanoseconds (statx; its layout is the same on every architecture). */
import { shownName, type ByteString } from './byte-string.ts';
import { checked, cString, libc } from './libc.ts';

export type FileKind = 'file' | 'folder' | 'symlink' | 'fifo' | 'socket' | 'blockDevice' | 'characterDevice';

export interface FileStatus {
  kind: FileKind;
  /** Permission bits with set-uid, set-gid and sticky; without the kind. */
  mode: number;
  uid: number;
  gid: number;
  links: number;
  size: bigint;
  /** Bytes that are really allocated; fewer than `size` for a sparse (or compressed) file. */
  allocated: bigint;
  inode: bigint;
  device: bigint;
  /** What a device file stands for; 0 for everything else. */
  deviceNumber: bigint;
  /** Nanoseconds since 1970. */
  mtime: bigint;
  ctime: bigint;
  /** What `chattr +i` and `+a` set. */
  immutable: boolean;
  appendOnly: boolean;
}

export const kindBits: Record<FileKind, number> = {
  fifo: 0o010000,
  characterDevice: 0o020000,
  folder: 0o040000,
  blockDevice: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
};
const kinds = new Map<number, FileKind>(
  Object.entries(kindBits).map(([kind, bits]) => [bits, kind as FileKind]),
);

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_NO_AUTOMOUNT = 0x800;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
const STATX_ATTR_IMMUTABLE = 0x10;
const STATX_ATTR_APPEND = 0x20;

const status = Buffer.alloc(256);
const view = new DataView(status.buffer, status.byteOffset, status.length);
const empty = new Uint8Array(0);

/** A device number as `stat` shows it (gnu_dev_makedev). */
export function deviceOf(major: number, minor: number): bigint {
  const a = BigInt(major);
  const b = BigInt(minor);
  return ((a & 0xfffn) << 8n) | ((a & ~0xfffn) << 32n) | (b & 0xffn) | ((b & ~0xffn) << 12n);
}

/** The two halves of a device number. */
export function splitDevice(device: bigint): { major: number; minor: number } {
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
  };
}

let lastMajor = -1;
let lastMinor = -1;
let lastDevice = 0n;

function time(offset: number): bigint {
  return view.getBigInt64(offset, true) * 1_000_000_000n + BigInt(view.getUint32(offset + 8, true));
}

function decode(): FileStatus {
  const attributes = view.getUint32(8, true);
  const mode = view.getUint16(28, true);
  const major = view.getUint32(136, true);
  const minor = view.getUint32(140, true);
  if (major !== lastMajor || minor !== lastMinor) {
    lastMajor = major;
    lastMinor = minor;
    lastDevice = deviceOf(major, minor);
  }
  const kind = kinds.get(mode & 0o170000) ?? 'file';
  return {
    kind,
    mode: mode & 0o7777,
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    links: view.getUint32(16, true),
    size: view.getBigUint64(40, true),
    allocated: view.getBigUint64(48, true) * 512n,
    inode: view.getBigUint64(32, true),
    device: lastDevice,
    deviceNumber:
      kind === 'blockDevice' || kind === 'characterDevice'
        ? deviceOf(view.getUint32(128, true), view.getUint32(132, true))
        : 0n,
    mtime: time(112),
    ctime: time(96),
    immutable: (attributes & STATX_ATTR_IMMUTABLE) !== 0,
    appendOnly: (attributes & STATX_ATTR_APPEND) !== 0,
  };
}

/** Status of a name in an open folder; a symbolic link is never followed. Throws `SystemCallError`. */
export function statusAt(folder: number, name: Uint8Array | ByteString): FileStatus {
  checked(
    libc().statx(folder, cString(name), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, status),
    'statx',
    () => shownName(name),
  );
  return decode();
}

/** Whose a name in an open folder is: cheaper than all of its status. */
export function ownerAt(folder: number, name: Uint8Array | ByteString): { uid: number; gid: number } {
  checked(
    libc().statx(folder, cString(name), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, status),
    'statx',
    () => shownName(name),
  );
  return { uid: view.getUint32(20, true), gid: view.getUint32(24, true) };
}

/** Status of an open file. */
export function statusOfOpen(file: number): FileStatus {
  checked(
    libc().statx(file, cString(empty), AT_EMPTY_PATH, STATX_BASIC_STATS, status),
    'statx',
    () => `file descriptor ${file}`,
  );
  return decode();
}

/** Status of a path; a symbolic link at its end is followed only when asked. */
export function statusOfPath(path: Uint8Array, options?: { follow?: boolean }): FileStatus {
  checked(
    libc().statx(
      AT_FDCWD,
      cString(path),
      (options?.follow ? 0 : AT_SYMLINK_NOFOLLOW) | AT_NO_AUTOMOUNT,
      STATX_BASIC_STATS,
      status,
    ),
    'statx',
    () => Buffer.from(path).toString(),
  );
  return decode();
}
