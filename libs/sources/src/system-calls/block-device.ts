/** What the kernel tells of block devices (sysfs), and the calls that only they know. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { deviceOf, splitDevice, statusOfPath } from './file-status.ts';
import { checked, libc, onThread } from './libc.ts';
import { mountTable } from './mount-table.ts';

const SEEK_END = 2;
const BLKFLSBUF = 0x1261;
const POSIX_FADV_DONTNEED = 4;
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;

/** Bytes that an open file or device holds. */
export function sizeOfOpen(file: number): bigint {
  return BigInt(checked(libc().lseek(file, 0n, SEEK_END), 'lseek', () => `file descriptor ${file}`));
}

/**
 * Drops what the system remembers of a device's content, so that what is read next is what is on it: a mounted file
 * system writes past that memory. Without the right to do so only what nobody has changed is dropped.
 */
export function forgetCached(file: number): void {
  const flushed = Number(libc().ioctlRead(file, BLKFLSBUF, 'int', 0)) === 0;
  if (!flushed) libc().posix_fadvise(file, 0n, 0n, POSIX_FADV_DONTNEED);
}

/** Makes a stretch read as zeros without writing them; false where the device or file system cannot. */
export async function punchHole(file: number, offset: bigint, length: bigint): Promise<boolean> {
  const mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  return (await onThread(libc().fallocate, file, mode, offset, length)) === 0;
}

/** Where the kernel describes a device. */
function folderOf(device: bigint): string {
  const { major, minor } = splitDevice(device);
  return `/sys/dev/block/${major}:${minor}`;
}

/** One line of what the kernel says of a device, or undefined when it does not say. */
export function deviceFact(device: bigint, name: string): string | undefined {
  try {
    const text = fs.readFileSync(`${folderOf(device)}/${name}`, 'utf8').trim();
    return text === '' ? undefined : text;
  } catch {
    // Each kind of device has other files; what is not there is not known.
    return undefined;
  }
}

/** The disk that a partition is on; undefined for what is no partition. */
export function diskOfPartition(device: bigint): bigint | undefined {
  if (deviceFact(device, 'partition') === undefined) return undefined;
  return deviceNamed(path.dirname(fs.realpathSync(folderOf(device))));
}

/** A device, its partitions, and every device that is built on one of them (volumes, mappings, arrays). */
export function devicesOn(device: bigint): bigint[] {
  const found: bigint[] = [];
  const waiting = [device];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.includes(next)) continue;
    found.push(next);
    const folder = folderOf(next);
    const inside = namesIn(folder).filter((name) => fs.existsSync(`${folder}/${name}/partition`));
    const holders = namesIn(`${folder}/holders`).map((name) => `holders/${name}`);
    for (const name of [...inside, ...holders]) {
      const other = deviceNamed(`${folder}/${name}`);
      if (other !== undefined) waiting.push(other);
    }
  }
  return found;
}

export interface MountedDevice {
  readonly path: string;
  readonly readOnly: boolean;
}

/** Where a device, a partition of it, or something that is built on it, is mounted. */
export function mountsOf(device: bigint): MountedDevice[] {
  const devices = new Set(devicesOn(device));
  return mountTable().filter((mount) => {
    const [major, minor] = mount.device.split(':').map(Number) as [number, number];
    return devices.has(deviceOf(major, minor)) || devices.has(deviceAt(mount.source) ?? -1n);
  });
}

/** Writes that a device has seen since the system started; undefined where it does not count. */
export function writesOf(device: bigint): bigint | undefined {
  const count = deviceFact(device, 'stat')?.split(/\s+/)[4];
  return count === undefined ? undefined : BigInt(count);
}

/** The file behind a loop device. */
export function backingFileOf(device: bigint): string | undefined {
  return deviceFact(device, 'loop/backing_file');
}

/** Loop devices whose content is a file. */
export function loopDevicesOf(file: string): bigint[] {
  return namesIn('/sys/block')
    .filter((name) => name.startsWith('loop'))
    .flatMap((name) => deviceNamed(`/sys/block/${name}`) ?? [])
    .filter((device) => backingFileOf(device) === file);
}

function deviceAt(source: string): bigint | undefined {
  if (!source.startsWith('/')) return undefined;
  try {
    const status = statusOfPath(Buffer.from(source), { follow: true });
    return status.kind === 'blockDevice' ? status.deviceNumber : undefined;
  } catch {
    // A name that meant something where it was mounted, but not here.
    return undefined;
  }
}

function deviceNamed(folder: string): bigint | undefined {
  const file = `${folder}/dev`;
  if (!fs.existsSync(file)) return undefined;
  const [major, minor] = fs.readFileSync(file, 'utf8').trim().split(':').map(Number) as [number, number];
  return deviceOf(major, minor);
}

function namesIn(folder: string): string[] {
  return fs.existsSync(folder) ? fs.readdirSync(folder) : [];
}
