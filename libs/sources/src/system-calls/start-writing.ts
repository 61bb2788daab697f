import { libc } from './libc.ts';

const SYNC_FILE_RANGE_WRITE = 2;

/**
 * Has the disk begin with what was written to a part of an open file, without waiting for it. It makes nothing durable,
 * it only leaves less to wait for; so where a file system does not know the call, nothing is lost.
 */
export function startWriting(file: number, offset: number, length: number): void {
  libc().sync_file_range(file, offset, length, SYNC_FILE_RANGE_WRITE);
}
