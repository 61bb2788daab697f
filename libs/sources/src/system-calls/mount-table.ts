/** What is mounted, as this process sees it. */
import * as fs from 'node:fs';

export interface Mount {
  /** As in statx: `major:minor`. Not the disk's for file systems that span disks (btrfs). */
  readonly device: string;
  /** What of the file system is mounted; `/` is all of it. */
  readonly root: string;
  readonly path: string;
  readonly type: string;
  readonly source: string;
  /** Whether nothing can be written through any mount of this file system. */
  readonly readOnly: boolean;
}

/** All mounts, in the order in which they were made. */
export function mountTable(): Mount[] {
  return fs
    .readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [before, after] = line.split(' - ');
      const [, , device, root, path] = before?.split(' ') ?? [];
      const [type, source, options] = after?.split(' ') ?? [];
      if (device === undefined || root === undefined || path === undefined) return [];
      const readOnly = options?.split(',').includes('ro') ?? false;
      const about = { device, type: type ?? '', readOnly };
      return [{ ...about, root: plain(root), path: plain(path), source: plain(source ?? '') }];
    });
}

/** The kernel writes blanks and the like in names as octal numbers. */
function plain(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
