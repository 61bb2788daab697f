import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';

/** Writes a file so that a reader sees the old or the new content, never a part, also after a crash. `mode` is exact. */
export function writeWhole(file: string, content: string, mode: number): void {
  const staging = `${file}.new-${process.pid}`;
  const descriptor = openSync(staging, 'w', mode);
  try {
    fchmodSync(descriptor, mode);
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(staging, file);
}
