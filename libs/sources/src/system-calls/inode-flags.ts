/** What `chattr` sets: marks of an inode that even its owner's rights do not get past. */
import { lastErrno, libc } from './libc.ts';
import { SystemCallError } from './system-call-error.ts';

// _IOR('f', 1, long) and _IOW('f', 2, long); the value behind them is 32 bits wide.
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_IMMUTABLE_FL = 0x10;
const FS_APPEND_FL = 0x20;

export interface InodeFlags {
  /** `chattr +i`: nothing about it can be changed. */
  readonly immutable: boolean;
  /** `chattr +a`: it can only grow. */
  readonly appendOnly: boolean;
}

/** Sets both flags of an open file or folder and leaves all others. Throws `SystemCallError`. */
export function setInodeFlags(file: number, { immutable, appendOnly }: InodeFlags): void {
  const value = Buffer.alloc(8);
  call('get', FS_IOC_GETFLAGS, file, value);
  const others = value.readUInt32LE() & ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
  const flags = others | (immutable ? FS_IMMUTABLE_FL : 0) | (appendOnly ? FS_APPEND_FL : 0);
  value.writeUInt32LE(flags >>> 0);
  call('set', FS_IOC_SETFLAGS, file, value);
}

function call(what: string, request: number, file: number, value: Buffer): void {
  if (Number(libc().ioctlRead(file, request, 'uint8_t *', value)) === 0) return;
  throw new SystemCallError(`ioctl (${what} flags)`, lastErrno(), `file descriptor ${file}`);
}
