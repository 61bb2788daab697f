import * as files from 'node:fs/promises';

/** The calls to the system by which a folder store changes and reads its files; tests put a recorder in between. */
export type FileOperations = Pick<
  typeof files,
  'link' | 'mkdir' | 'open' | 'readdir' | 'rmdir' | 'stat' | 'statfs' | 'unlink'
>;

export const systemFiles: FileOperations = files;
