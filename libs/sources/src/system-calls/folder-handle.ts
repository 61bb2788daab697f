/**
 * An open folder whose names are used relative to it. Nothing that happens to the path above it can lead a call
 * elsewhere, links inside it are not followed, and no path ever gets too long for the system.
 */
import * as fs from 'node:fs';
import { shownName, type ByteString } from './byte-string.ts';
import { ownerAt, statusAt, statusOfOpen, type FileStatus } from './file-status.ts';
import { setInodeFlags, type InodeFlags } from './inode-flags.ts';
import { checked, cString, libc } from './libc.ts';
import { SystemCallError } from './system-call-error.ts';

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_REMOVEDIR = 0x200;
const RENAME_NOREPLACE = 1;
// The same on every Linux architecture, unlike O_DIRECTORY and O_NOFOLLOW, which node knows.
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const UTIME_OMIT = (1 << 30) - 2;
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = fs.constants;

/** A name in a folder: its bytes, or the same as a string with one character per byte. */
export type FileName = Uint8Array | ByteString;

const self = Buffer.from('.');
const times = Buffer.alloc(32);
const link = Buffer.alloc(65_536);

export class FolderHandle {
  readonly fd: number;
  #open = true;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** Opens a folder by path; symbolic links on the way are followed, as a person who names a path expects. */
  static open(path: FileName): FolderHandle {
    const flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    return new FolderHandle(openAt(AT_FDCWD, path, flags, 0));
  }

  /** A folder that somebody else has opened, and closes. */
  static borrowed(fd: number): FolderHandle {
    return new FolderHandle(fd);
  }

  /** Opens a folder in this one. A symbolic link of that name fails with ENOTDIR. */
  openFolder(name: FileName): FolderHandle {
    return new FolderHandle(openAt(this.fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0));
  }

  /** The names in the folder in byte order, as the system has them: any bytes. */
  names(): ByteString[] {
    return (fs.readdirSync(this.pathOf(), { encoding: 'latin1' }) as ByteString[]).sort();
  }

  /** Status of a name, or of the folder itself. */
  status(name?: FileName): FileStatus {
    return name === undefined ? statusOfOpen(this.fd) : statusAt(this.fd, name);
  }

  /** Whose a name is. */
  ownerOf(name: FileName): { uid: number; gid: number } {
    return ownerAt(this.fd, name);
  }

  /** As `status`, but undefined when there is no such name. */
  statusIfThere(name: FileName): FileStatus | undefined {
    try {
      return statusAt(this.fd, name);
    } catch (error) {
      if (error instanceof SystemCallError && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
        return undefined;
      throw error;
    }
  }

  /** Opens a file for node's own read and write functions; never through a symbolic link. The caller closes it. */
  openFile(name: FileName, flags: number = O_RDONLY, mode = 0o600): number {
    return openAt(this.fd, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
  }

  readLink(name: FileName): Buffer {
    const length = checked(
      libc().readlinkat(this.fd, cString(name), link, link.length),
      'readlink',
      textOf(name),
    );
    return Buffer.from(link.subarray(0, length));
  }

  makeFolder(name: FileName, mode = 0o700): void {
    checked(libc().mkdirat(this.fd, cString(name), mode), 'mkdir', textOf(name));
  }

  makeNode(name: FileName, kindAndMode: number, device: bigint): void {
    checked(libc().mknodat(this.fd, cString(name), kindAndMode, device), 'mknod', textOf(name));
  }

  makeSymlink(name: FileName, target: FileName): void {
    checked(libc().symlinkat(cString(target), this.fd, cString(name)), 'symlink', textOf(name));
  }

  /** A further name for what `existing` in `folder` is. */
  makeHardLink(name: FileName, folder: FolderHandle, existing: FileName): void {
    checked(libc().linkat(folder.fd, cString(existing), this.fd, cString(name), 0), 'link', textOf(name));
  }

  /** Moves a name into another folder of the same file system. `replace: false` fails with EEXIST, atomically. */
  rename(name: FileName, into: FolderHandle, newName: FileName, options: { replace: boolean }): void {
    checked(
      libc().renameat2(
        this.fd,
        cString(name),
        into.fd,
        cString(newName),
        options.replace ? 0 : RENAME_NOREPLACE,
      ),
      'rename',
      textOf(newName),
    );
  }

  removeFile(name: FileName): void {
    checked(libc().unlinkat(this.fd, cString(name), 0), 'unlink', textOf(name));
  }

  /** Removes an empty folder. */
  removeFolder(name: FileName): void {
    checked(libc().unlinkat(this.fd, cString(name), AT_REMOVEDIR), 'rmdir', textOf(name));
  }

  /** Owner of a name; of a symbolic link itself. */
  setOwner(name: FileName, uid: number, gid: number): void {
    checked(libc().fchownat(this.fd, cString(name), uid, gid, AT_SYMLINK_NOFOLLOW), 'chown', textOf(name));
  }

  /** Permission bits of a name that is no symbolic link (those have none). */
  setMode(name: FileName, mode: number): void {
    checked(libc().fchmodat(this.fd, cString(name), mode, 0), 'chmod', textOf(name));
  }

  /** What `chattr +i` and `+a` set, of a file or folder. */
  setFlags(name: FileName, flags: InodeFlags): void {
    const file = this.openFile(name, O_RDONLY | fs.constants.O_NONBLOCK);
    try {
      setInodeFlags(file, flags);
    } finally {
      fs.closeSync(file);
    }
  }

  /** Modification time in nanoseconds since 1970; the access time stays. */
  setModified(name: FileName, mtime: bigint): void {
    const seconds = mtime / 1_000_000_000n - (mtime % 1_000_000_000n < 0n ? 1n : 0n);
    times.writeBigInt64LE(0n, 0);
    times.writeBigInt64LE(BigInt(UTIME_OMIT), 8);
    times.writeBigInt64LE(seconds, 16);
    times.writeBigInt64LE(mtime - seconds * 1_000_000_000n, 24);
    checked(libc().utimensat(this.fd, cString(name), times, AT_SYMLINK_NOFOLLOW), 'utimensat', textOf(name));
  }

  /** A path by which calls without a folder argument reach a name here (or the folder itself), for this process. */
  pathOf(name: FileName = self): Buffer {
    const folder = `/proc/self/fd/${this.fd}/`;
    if (typeof name === 'string') return Buffer.from(folder + name, 'latin1');
    return Buffer.concat([Buffer.from(folder), name]);
  }

  /** The folder as a file of node's own functions, for fsync. The caller closes it. */
  openSelf(): number {
    return this.openFile(self, O_RDONLY | O_DIRECTORY);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    fs.closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function openAt(folder: number, name: FileName, flags: number, mode: number): number {
  return checked(libc().openat(folder, cString(name), flags, mode), 'open', textOf(name));
}

function textOf(name: FileName): () => string {
  return () => shownName(name);
}
