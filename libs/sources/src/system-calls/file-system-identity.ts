/** What makes a file system the same one after a reboot, a move to another machine or another mount point. */
import * as fs from 'node:fs';
import { superblockUuid } from './superblock-uuid.ts';
import { FolderHandle } from './folder-handle.ts';
import { splitDevice, statusOfPath } from './file-status.ts';
import { checked, cString, libc } from './libc.ts';
import { mountTable, type Mount } from './mount-table.ts';

// _IOR(0x15, 0, struct fsuuid2), since Linux 6.9.
const FS_IOC_GETFSUUID = 0x80111500;

/** File systems that live only as long as they are mounted: the UUID that the kernel tells is new each time. */
const uuidOfMount = /^(tmpfs|ramfs|devtmpfs|overlay)$/;

/** File systems whose statfs id comes from their UUID; that of others changes with the order of devices. */
const fsidIsSteady = /^(ext[234]|btrfs|zfs)$/;

/**
 * Names the file system that a path is on: `uuid:…` where it has one (the kernel's word, udev's, or what stands in its
 * superblock), `fsid:…` where that is made of the UUID; else type and origin of the mount, see `nameOfMount`.
 */
export function fileSystemIdentity(path: Uint8Array): string {
  const mount = mountOf(path);
  if (mount && uuidOfMount.test(mount.type)) return nameOfMount(mount, machineId());
  const uuid = uuidByCall(path) ?? (mount && (uuidByLink(mount.source) ?? superblockUuid(mount.source)));
  if (uuid) return `uuid:${uuid}`;
  if (!mount || fsidIsSteady.test(mount.type)) return `fsid:${statfsId(path)}`;
  return nameOfMount(mount, machineId());
}

/**
 * The name of a mount without a UUID: `nfs4:server:/export` for what another machine serves, which is the same from
 * everywhere; with the machine's id for what is of this machine alone, such as `overlay:overlay@…`.
 */
export function nameOfMount(
  { type, source }: Pick<Mount, 'type' | 'source'>,
  machine: string | undefined,
): string {
  const isRemote = source.includes(':') || source.startsWith('//');
  return `${type}:${source}${isRemote || machine === undefined ? '' : `@${machine}`}`;
}

function uuidByCall(path: Uint8Array): string | undefined {
  const answer = Buffer.alloc(17);
  const stat = statusOfPath(path, { follow: true });
  const open =
    stat.kind === 'folder' ? folderFile(path) : fs.openSync(Buffer.from(path), fs.constants.O_RDONLY);
  try {
    const result = libc().ioctlRead(open, FS_IOC_GETFSUUID, 'uint8_t *', answer);
    // ENOTTY and the like: an older kernel, or a file system without one. There are other ways to tell.
    if (result !== 0) return undefined;
  } finally {
    fs.closeSync(open);
  }
  const hex = answer.subarray(1, 1 + (answer[0] ?? 0)).toString('hex');
  return /^0*$/.test(hex) ? undefined : hex;
}

function folderFile(path: Uint8Array): number {
  using folder = FolderHandle.open(path);
  return folder.openSelf();
}

function uuidByLink(source: string): string | undefined {
  const links = '/dev/disk/by-uuid';
  if (!source.startsWith('/dev/') || !fs.existsSync(links) || !fs.existsSync(source)) return undefined;
  const device = fs.realpathSync(source);
  const name = fs.readdirSync(links).find((link) => fs.realpathSync(`${links}/${link}`) === device);
  return name?.replaceAll('-', '').toLowerCase();
}

function statfsId(path: Uint8Array): string {
  const status = Buffer.alloc(256);
  checked(libc().statfs(cString(path), status), 'statfs', () => Buffer.from(path).toString());
  return status.subarray(56, 64).toString('hex');
}

/** The mount a path is on: by its device, or (subvolumes have devices of their own) by where mounts are. */
function mountOf(path: Uint8Array): Mount | undefined {
  const { major, minor } = splitDevice(statusOfPath(path, { follow: true }).device);
  const mounts = mountTable();
  const ofDevice = mounts.find(({ device }) => device === `${major}:${minor}`);
  if (ofDevice) return ofDevice;
  const real = fs.realpathSync(Buffer.from(path));
  return mounts
    .filter((mount) => mount.path === '/' || real === mount.path || real.startsWith(`${mount.path}/`))
    .sort((a, b) => a.path.length - b.path.length)
    .at(-1);
}

/** What the system was called at its installation; undefined where nobody has given it a name. */
function machineId(): string | undefined {
  try {
    return /^[0-9a-f]{32}$/m.exec(fs.readFileSync('/etc/machine-id', 'utf8'))?.[0];
  } catch {
    // Containers often have none.
    return undefined;
  }
}
