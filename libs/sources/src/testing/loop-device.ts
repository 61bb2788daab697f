/** Real block devices and file systems for tests, where this machine and user can make them. */
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';

const isRoot = process.geteuid?.() === 0;

/** Whether a program can be run here. */
export function hasProgram(name: string, ...args: string[]): boolean {
  return spawnSync(name, args.length > 0 ? args : ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** A file that stands for a disk. */
export class LoopDevice {
  readonly path: string;
  #attached = true;

  /** @param options as `losetup` takes them, for instance `--partscan` */
  constructor(file: string, ...options: string[]) {
    const answer = execFileSync('losetup', ['--find', '--show', ...options, file], { encoding: 'utf8' });
    this.path = answer.trim();
  }

  detach(): void {
    if (!this.#attached) return;
    this.#attached = false;
    execFileSync('losetup', ['--detach', this.path]);
  }

  [Symbol.dispose](): void {
    this.detach();
  }
}

/** A file system in a file, mounted until it is disposed of. */
export class MountedFileSystem {
  readonly path: string;

  /**
   * @param type `tmpfs`, or one that `mkfs.<type>` makes in the file
   * @param options of the mount
   */
  constructor(type: string, file: string, folder: string, options: readonly string[] = []) {
    fs.mkdirSync(folder, { recursive: true });
    this.path = folder;
    const given = options.length > 0 ? ['-o', options.join(',')] : [];
    if (type === 'tmpfs') execFileSync('mount', ['-t', 'tmpfs', ...given, 'tmpfs', folder]);
    else {
      makeFileSystem(type, file);
      execFileSync('mount', ['-o', ['loop', ...options].join(','), file, folder]);
    }
  }

  remove(): void {
    execFileSync('umount', [this.path]);
  }

  [Symbol.dispose](): void {
    this.remove();
  }
}

const least: Readonly<Record<string, number>> = { ext4: 64, xfs: 320, btrfs: 128 };

/** Makes a file of zeros that is large enough, and a file system in it. */
export function makeFileSystem(type: string, file: string, megabytes = least[type] ?? 64): void {
  fs.writeFileSync(file, '');
  fs.truncateSync(file, megabytes * 1024 * 1024);
  execFileSync(`mkfs.${type}`, ['-q', ...(type === 'ext4' ? ['-F'] : []), file], { stdio: 'ignore' });
}

/** Whether loop devices can be made here: root, and a kernel and a container that let it. */
export const canLoop = isRoot && canDo('losetup', ['--find']);

/** Whether file systems can be mounted here. */
export const canMount = isRoot && canDo('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);

/** Whether a file system of a type can be made and mounted here. */
export function canMountType(type: string): boolean {
  if (!canMount || !canLoop) return type === 'tmpfs' && canMount;
  if (type === 'tmpfs') return true;
  const known = fs.readFileSync('/proc/filesystems', 'utf8').split('\n');
  return known.some((line) => line.endsWith(`\t${type}`)) && hasProgram(`mkfs.${type}`, '-V');
}

function canDo(program: string, args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}
