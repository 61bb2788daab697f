/** Extended attributes, ACLs among them (`system.posix_acl_*`). Names and values are bytes; links are not followed. */
import { checked, cString, lastErrno, libc } from './libc.ts';
import { SystemCallError, systemCodeOf } from './system-call-error.ts';

export type ExtendedAttribute = [name: Uint8Array, value: Uint8Array];

/** Linux limits a value, and the list of all names, to 64 KiB. */
const scratch = Buffer.alloc(65_536);
const none: ExtendedAttribute[] = [];

/** All attributes that may be read, by name in byte order; empty where the file system has none. */
export function extendedAttributesOf(path: Uint8Array): ExtendedAttribute[] {
  const text = () => Buffer.from(path).toString();
  const listed = libc().llistxattr(cString(path), scratch, scratch.length);
  if (listed === 0) return none;
  if (listed < 0) {
    const error = new SystemCallError('llistxattr', lastErrno(), text());
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
      const length = checked(
        libc().lgetxattr(cString(path), cString(name), scratch, scratch.length),
        'lgetxattr',
        text,
      );
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
