import { getSystemErrorName } from 'node:util';

/**
 * A system call that failed. `code` is the name that node's own errors carry (`ENOENT`, `EACCES`, …), so both can
 * be told apart in one place.
 */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  constructor(syscall: string, errno: number, subject: string) {
    const code = getSystemErrorName(-errno);
    super(`${syscall} failed with ${code} on '${subject}'`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}

/** The system's code of an error (`ENOENT`, …), from node's calls and from ours; undefined for any other error. */
export function systemCodeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}

const ofTheProcess = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EBADF', 'EFAULT', 'ENOSYS']);

/** Whether a system's error is about the one file it names, and not about this process or machine as a whole. */
export function blamesOneFile(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code !== undefined && !ofTheProcess.has(code);
}
