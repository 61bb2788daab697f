/**
 * The C library of this process: the calls that node has no function for, or only one that loses something
 * (nanoseconds, names that are not UTF-8, "relative to this open folder"). The only importer of koffi.
 */
import koffi from 'koffi';
import type { ByteString } from './byte-string.ts';
import { SystemCallError } from './system-call-error.ts';

type Call = (...args: unknown[]) => number | bigint;
type AsyncCall = Call & { async: (...args: unknown[]) => void };

function load() {
  if (process.platform !== 'linux') {
    throw new Error(
      `The files driver needs Linux system calls (statx, openat, xattrs); this is '${process.platform}'. Run the mover on Linux.`,
    );
  }
  const libc = koffi.load(null);
  const passwd = koffi.struct({ name: 'str', password: 'str', uid: 'uint32_t', gid: 'uint32_t' });
  const group = koffi.struct({ name: 'str', password: 'str', gid: 'uint32_t' });
  const declare = (prototype: string): AsyncCall => libc.func(prototype) as AsyncCall;
  const declareIfThere = (prototype: string): AsyncCall | undefined => {
    try {
      return declare(prototype);
    } catch {
      // The one failure a declaration has that is well-formed: this C library has no such function.
      return undefined;
    }
  };
  return {
    statx: declare(
      'int statx(int folder, const uint8_t *name, int flags, unsigned int mask, _Out_ uint8_t *status)',
    ),
    openat: declare('int openat(int folder, const uint8_t *name, int flags, unsigned int mode)'),
    readlinkat: declare(
      'int64_t readlinkat(int folder, const uint8_t *name, _Out_ uint8_t *target, size_t size)',
    ),
    mkdirat: declare('int mkdirat(int folder, const uint8_t *name, unsigned int mode)'),
    mknodat: declare('int mknodat(int folder, const uint8_t *name, unsigned int mode, uint64_t device)'),
    symlinkat: declare('int symlinkat(const uint8_t *target, int folder, const uint8_t *name)'),
    linkat: declare(
      'int linkat(int folder, const uint8_t *name, int newFolder, const uint8_t *newName, int flags)',
    ),
    unlinkat: declare('int unlinkat(int folder, const uint8_t *name, int flags)'),
    renameat2: declare(
      'int renameat2(int folder, const uint8_t *name, int newFolder, const uint8_t *newName, unsigned int flags)',
    ),
    fchownat: declare('int fchownat(int folder, const uint8_t *name, uint32_t uid, uint32_t gid, int flags)'),
    fchmodat: declare('int fchmodat(int folder, const uint8_t *name, unsigned int mode, int flags)'),
    utimensat: declare('int utimensat(int folder, const uint8_t *name, const uint8_t *times, int flags)'),
    llistxattr: declare('int64_t llistxattr(const uint8_t *path, _Out_ uint8_t *names, size_t size)'),
    lgetxattr: declare(
      'int64_t lgetxattr(const uint8_t *path, const uint8_t *name, _Out_ uint8_t *value, size_t size)',
    ),
    flistxattr: declare('int64_t flistxattr(int file, _Out_ uint8_t *names, size_t size)'),
    fgetxattr: declare('int64_t fgetxattr(int file, const uint8_t *name, _Out_ uint8_t *value, size_t size)'),
    lsetxattr: declare(
      'int lsetxattr(const uint8_t *path, const uint8_t *name, const uint8_t *value, size_t size, int flags)',
    ),
    lremovexattr: declare('int lremovexattr(const uint8_t *path, const uint8_t *name)'),
    lseek: declare('int64_t lseek(int file, int64_t offset, int whence)'),
    statfs: declare('int statfs(const uint8_t *path, _Out_ uint8_t *status)'),
    syncfs: declare('int syncfs(int file)'),
    sync_file_range: declare(
      'int sync_file_range(int file, int64_t offset, int64_t length, unsigned int flags)',
    ),
    fallocate: declare('int fallocate(int file, int mode, int64_t offset, int64_t length)'),
    posix_fadvise: declare('int posix_fadvise(int file, int64_t offset, int64_t length, int advice)'),
    ioctlRead: libc.func('int ioctl(int file, unsigned long request, ...)') as Call,
    getpwuid: libc.func('getpwuid', koffi.pointer(passwd), ['uint32_t']),
    getpwnam: libc.func('getpwnam', koffi.pointer(passwd), ['str']),
    getgrgid: libc.func('getgrgid', koffi.pointer(group), ['uint32_t']),
    getgrnam: libc.func('getgrnam', koffi.pointer(group), ['str']),
    malloc_trim: declareIfThere('int malloc_trim(size_t keep)'),
    passwd,
    group,
  };
}

type Libc = ReturnType<typeof load>;
let loaded: Libc | undefined;

/** The calls, loaded on first use, so that importing this library works on every platform. */
export function libc(): Libc {
  loaded ??= load();
  return loaded;
}

/** Errno of the last call. Only meaningful directly after one that failed. */
export function lastErrno(): number {
  return koffi.errno();
}

/** Where the bytes lie in memory; they stay there. */
export function addressOf(bytes: Uint8Array): bigint {
  return koffi.address(bytes);
}

/** The value of a call that answers -1 on failure; `subject` (what it was about) is only evaluated then. */
export function checked(result: number | bigint, syscall: string, subject: () => string): number {
  if (result >= 0) return Number(result);
  throw new SystemCallError(syscall, lastErrno(), subject());
}

/** Runs a blocking call on a thread of the pool. The errno of such a call is lost with its thread, hence no code. */
export function onThread(call: AsyncCall, ...args: unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    call.async(...args, (error: Error | null, result: number | bigint) => {
      if (error) reject(error);
      else resolve(Number(result));
    });
  });
}

/** What the databases of users and groups say of one. */
export interface Account {
  readonly name: string;
  /** Of a user only. */
  readonly uid?: number;
  readonly gid: number;
}

/** The record that a call of such a database points to, or undefined when it found none. */
export function accountAt(pointer: unknown, type: Libc['passwd']): Account | undefined {
  return pointer === null || pointer === undefined ? undefined : (koffi.decode(pointer, type) as Account);
}

const ring = Array.from({ length: 3 }, () => Buffer.alloc(4097));
let next = 0;

/**
 * The bytes as a C string, in a buffer that is used again three calls later (so for synchronous calls only).
 * Bytes that hold a NUL would silently name something else and are refused.
 */
export function cString(bytes: Uint8Array | ByteString): Buffer {
  const buffer = bytes.length > 4096 ? Buffer.alloc(bytes.length + 1) : (ring[next] as Buffer);
  next = (next + 1) % ring.length;
  if (typeof bytes === 'string') buffer.write(bytes, 'latin1');
  else buffer.set(bytes);
  buffer[bytes.length] = 0;
  if (buffer.indexOf(0) !== bytes.length) {
    throw new TypeError('A name holds a NUL byte; no file system can have it.');
  }
  return buffer;
}
