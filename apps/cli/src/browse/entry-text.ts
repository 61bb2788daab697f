import { readableBytes, type StoredEntry } from '@catena/vault';
import { formatBytes, formatInstant } from '../presentation/quantities.ts';

const KIND_SIGNS: Record<StoredEntry['kind'], string> = {
  file: '-',
  folder: 'd',
  symlink: 'l',
  fifo: 'p',
  socket: 's',
  blockDevice: 'b',
  characterDevice: 'c',
};

const SPECIAL_BITS = [
  [0o4000, 's'],
  [0o2000, 's'],
  [0o1000, 't'],
] as const;

/** `-rwxr-sr-t`, with `+` behind it when there is an access control list. */
export function permissions({ kind, mode, xattrs }: StoredEntry): string {
  const bits = SPECIAL_BITS.map(([special, sign], index) => {
    const shift = 6 - 3 * index;
    const read = (mode >> shift) & 4 ? 'r' : '-';
    const write = (mode >> shift) & 2 ? 'w' : '-';
    const executable = ((mode >> shift) & 1) === 1;
    const execute = mode & special ? (executable ? sign : sign.toUpperCase()) : executable ? 'x' : '-';
    return read + write + execute;
  });
  const hasList = xattrs?.some(([name]) =>
    Buffer.from(name).toString('latin1').startsWith('system.posix_acl_'),
  );
  return `${KIND_SIGNS[kind]}${bits.join('')}${hasList ? '+' : ' '}`;
}

/** Where it leads: ` -> target` of a symbolic link, ` = path` of a further name of a file. */
function suffix({ linkTarget, hardLink }: StoredEntry): string {
  if (linkTarget !== undefined) return ` -> ${readableBytes(linkTarget)}`;
  return hardLink === undefined ? '' : ` = ${readableBytes(hardLink)}`;
}

/** Linux's parts of a device number: major, minor. */
function device(number: bigint): string {
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n);
  const minor = (number & 0xffn) | ((number >> 12n) & 0xffffff00n);
  return `${major}, ${minor}`;
}

export function instantOfNanoseconds(nanoseconds: bigint): string {
  const milliseconds = nanoseconds / 1_000_000n - (nanoseconds % 1_000_000n < 0n ? 1n : 0n);
  const date = new Date(Number(milliseconds));
  return Number.isNaN(date.getTime()) ? `${nanoseconds} ns` : formatInstant(date.toISOString());
}

export const shownPath = (entry: StoredEntry) => readableBytes(entry.path) || '.';

/** One line as people know it from `ls -l`; the path is the one from the root of the source. */
export function longLine(entry: StoredEntry, human: boolean): string {
  const { size, deviceNumber, linkTarget, user, group, uid, gid, mtime } = entry;
  const bytes = linkTarget === undefined ? Number(size) : linkTarget.length;
  const amount =
    deviceNumber !== undefined ? device(deviceNumber) : human ? formatBytes(bytes) : String(bytes);
  const owner = `${(user ?? String(uid)).padEnd(8)} ${(group ?? String(gid)).padEnd(8)}`;
  return `${permissions(entry)} ${owner} ${amount.padStart(human ? 9 : 12)} ${instantOfNanoseconds(mtime)} ${shownPath(entry)}${suffix(entry)}`;
}

/** An entry for programs. `pathBase64` is there when `path` shows some of the bytes as something else. */
export function entryFields(entry: StoredEntry): Record<string, unknown> {
  const {
    path,
    kind,
    mode,
    uid,
    gid,
    user,
    group,
    size,
    mtime,
    linkTarget,
    hardLink,
    content,
    deviceNumber,
  } = entry;
  return {
    ...named('path', path),
    kind,
    mode,
    uid,
    gid,
    user,
    group,
    size: String(size),
    mtimeNs: String(mtime),
    ...(linkTarget === undefined ? {} : named('linkTarget', linkTarget)),
    ...(hardLink === undefined ? {} : named('hardLink', hardLink)),
    ...(deviceNumber === undefined ? {} : { deviceNumber: String(deviceNumber) }),
    ...(content?.sha256 === undefined ? {} : { sha256: Buffer.from(content.sha256).toString('hex') }),
  };
}

function named(name: string, bytes: Uint8Array): Record<string, string> {
  const readable = readableBytes(bytes);
  const isExact = Buffer.from(readable, 'utf8').equals(bytes);
  return {
    [name]: readable,
    ...(isExact ? {} : { [`${name}Base64`]: Buffer.from(bytes).toString('base64') }),
  };
}
