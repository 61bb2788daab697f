/** What makes a file system the same one after a reboot, a move to another machine or another mount point. */
import * as fs from 'node:fs';
import { FolderHandle } from './folder-handle.ts';
import { splitDevice, statusOfPath } from './file-status.ts';
import { checked, cString, libc } from './libc.ts';

// _IOR(0x15, 0, struct fsuuid2), since Linux 6.9.
const FS_IOC_GETFSUUID = 0x80111500;

/**
 * Names the file system that a path is on: `uuid:…` where it has one, else `fsid:…` (what statfs says; for file
 * systems that keep it), else type and origin of the mount, such as `nfs4:server:/export`.
 */
export function fileSystemIdentity(path: Uint8Array): string {
  const { device } = statusOfPath(path, { follow: true });
  const { major, minor } = splitDevice(device);
  const mount = mountOf(`${major}:${minor}`);
  const uuid = uuidByCall(path) ?? (mount && uuidByLink(mount.source));
  if (uuid) return `uuid:${uuid}`;
  if (mount && /^(ext[234]|btrfs|f2fs)$/.test(mount.type)) return `fsid:${statfsId(path)}`;
  return mount ? `${mount.type}:${mount.source}` : `fsid:${statfsId(path)}`;
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
  if (!source.startsWith('/dev/') || !fs.existsSync(links)) return undefined;
  const device = fs.realpathSync(source);
  const name = fs.readdirSync(links).find((link) => fs.realpathSync(`${links}/${link}`) === device);
  return name?.replaceAll('-', '').toLowerCase();
}

function statfsId(path: Uint8Array): string {
  const status = Buffer.alloc(256);
  checked(libc().statfs(cString(path), status), 'statfs', () => Buffer.from(path).toString());
  return status.subarray(56, 64).toString('hex');
}

/** The mount with a device number (`major:minor`), from the kernel's list. */
function mountOf(device: string): { type: string; source: string } | undefined {
  for (const line of fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [before, after] = line.split(' - ');
    if (before?.split(' ')[2] !== device || after === undefined) continue;
    const [type, source] = after.split(' ');
    return { type: type ?? '', source: source ?? '' };
  }
  return undefined;
}
