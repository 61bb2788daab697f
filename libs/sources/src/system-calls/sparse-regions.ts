/** Where an open file has data, so that the holes of a sparse file are not read. */
import { lastErrno, libc } from './libc.ts';
import { SystemCallError } from './system-call-error.ts';

const SEEK_DATA = 3;
const SEEK_HOLE = 4;

function seek(file: number, offset: bigint, whence: number): bigint | undefined {
  const result = libc().lseek(file, offset, whence);
  if (result >= 0) return BigInt(result);
  const error = new SystemCallError('lseek', lastErrno(), `file descriptor ${file}`);
  // ENXIO: nothing more from here on to the end of the file.
  if (error.code === 'ENXIO') return undefined;
  throw error;
}

/** The next stretch with data at or after `offset`, or undefined when only a hole is left. */
export function dataAfter(file: number, offset: bigint): { start: bigint; end: bigint } | undefined {
  const start = seek(file, offset, SEEK_DATA);
  if (start === undefined) return undefined;
  const end = seek(file, start, SEEK_HOLE);
  return { start, end: end ?? start };
}
