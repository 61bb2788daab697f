/** Extended attributes, ACLs among them (`system.posix_acl_*`). Names and values are bytes; links are not followed. */
import { checked, cString, lastErrno, libc } from './libc.ts';
import { SystemCallError, systemCodeOf } from './system-call-error.ts';

export type ExtendedAttribute = [name: Uint8Array, value: Uint8Array];

/** Linux limits a value, and the list of all names, to 64 KiB. */
const scratch = Buffer.alloc(65_536);
const none: ExtendedAttribute[] = [];

/** The two calls that read attributes, of a path or of an open file. */
interface Attributes {
  list(): number | bigint;
  get(name: Uint8Array): number | bigint;
  /** What they are of, for messages. */
  text(): string;
}

/** All attributes of a path that may be read, by name in byte order; empty where the file system has none. */
export function extendedAttributesOf(path: Uint8Array): ExtendedAttribute[] {
  return read({
    list: () => libc().llistxattr(cString(path), scratch, scratch.length),
    get: (name) => libc().lgetxattr(cString(path), cString(name), scratch, scratch.length),
    text: () => Buffer.from(path).toString(),
  });
}

/** The same of an open file, which the system need not look for. */
export function extendedAttributesOfOpen(file: number): ExtendedAttribute[] {
  return read({
    list: () => libc().flistxattr(file, scratch, scratch.length),
    get: (name) => libc().fgetxattr(file, cString(name), scratch, scratch.length),
    text: () => `file descriptor ${file}`,
  });
}

function read(of: Attributes): ExtendedAttribute[] {
  const listed = of.list();
  if (listed === 0) return none;
  if (listed < 0) {
    const error = new SystemCallError('listxattr', lastErrno(), of.text());
    if (error.code === 'ENOTSUP' || error.code === 'EOPNOTSUPP') return none;
    throw error;
  }
  const names: Buffer[] = [];
  for (let start = 0, end = 0; start < Number(listed); start = end + 1) {
    end = scratch.indexOf(0, start);
    names.push(Buffer.from(scratch.subarray(start, end)));
  }
  const attributes: ExtendedAttribute[] = [];
  for (const name of names.sort((a, b) => Buffer.compare(a, b))) {
    try {
      const length = checked(of.get(name), 'getxattr', () => of.text());
      attributes.push([name, Buffer.from(scratch.subarray(0, length))]);
    } catch (error) {
      // ENODATA: removed since it was listed. The kernel also lists names that only it can read.
      if (systemCodeOf(error) !== 'ENODATA') throw error;
    }
  }
  return attributes;
}

export function setExtendedAttribute(path: Uint8Array, name: Uint8Array, value: Uint8Array): void {
  checked(
    libc().lsetxattr(cString(path), cString(name), value, value.length, 0),
    'lsetxattr',
    () => `${Buffer.from(path).toString()} (${Buffer.from(name).toString()})`,
  );
}

export function removeExtendedAttribute(path: Uint8Array, name: Uint8Array): void {
  checked(
    libc().lremovexattr(cString(path), cString(name)),
    'lremovexattr',
    () => `${Buffer.from(path).toString()} (${Buffer.from(name).toString()})`,
  );
}
