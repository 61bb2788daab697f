import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Small file systems can be mounted by root alone, and not in every container. */
export function canMountTmpfs(): boolean {
  const folder = mkdtempSync(path.join(tmpdir(), 'catena-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file system in memory, of so many MiB, on a folder that is there. */
export function mountTmpfs(folder: string, megabytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', folder]);
}

export function unmount(folder: string): void {
  execFileSync('umount', [folder]);
}
