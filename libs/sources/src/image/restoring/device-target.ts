/** A block device that an image is written to. */
import * as fs from 'node:fs';
import type { RestoreOptions } from '../../port/source-driver.ts';
import { RestoreError } from '../../port/restore-error.ts';
import { deviceFact, mountsOf, sizeOfOpen, statusOfPath, systemCodeOf } from '../../system-calls/index.ts';
import { FileDisk } from '../disk/file-disk.ts';

/** Whether a target is a block device. */
export function isDevice(target: string): boolean {
  try {
    return statusOfPath(Buffer.from(target), { follow: true }).kind === 'blockDevice';
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return false;
  }
}

/** Opens a device that nobody uses and that is large enough. Throws `RestoreError`; nothing was written then. */
export function openDevice(target: string, size: bigint, options: RestoreOptions): FileDisk {
  const device = statusOfPath(Buffer.from(target), { follow: true }).deviceNumber;
  const [mount] = mountsOf(device);
  if (mount) throw inUse(target, `is mounted at '${mount.path}'`, `Unmount it first: umount ${mount.path}`);
  if (deviceFact(device, 'ro') === '1')
    throw inUse(target, 'is read-only', 'Allow writing to it first: blockdev --setrw');
  const file = openAlone(target);
  try {
    const capacity = sizeOfOpen(file);
    if (capacity < size) throw tooSmall(target, capacity, size);
    if (!options.overwrite) throw replacesAll(target);
    return new FileDisk(file, capacity, { sparse: false });
  } catch (error) {
    fs.closeSync(file);
    throw error;
  }
}

/** The kernel lets nobody else have it meanwhile, and refuses when somebody has. */
function openAlone(target: string): number {
  try {
    return fs.openSync(target, fs.constants.O_RDWR | fs.constants.O_EXCL);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === undefined) throw error;
    if (code === 'EBUSY') {
      const remedy = 'Deactivate the volume group, array, mapping or swap area that uses it.';
      throw inUse(target, 'is in use by the system', remedy);
    }
    throw inUse(
      target,
      `cannot be written to (${code})`,
      'Run the mover as a user that may write to it, and see that it is not read-only.',
    );
  }
}

function inUse(target: string, what: string, remedy: string): RestoreError {
  return new RestoreError('restore.targetNotUsable', `The device '${target}' ${what}.`, {
    remedy,
    details: { target },
  });
}

function tooSmall(target: string, capacity: bigint, size: bigint): RestoreError {
  return new RestoreError(
    'restore.targetTooSmall',
    `The device '${target}' has ${capacity} bytes; the image needs ${size}.`,
    {
      remedy: 'Choose a device at least as large, or restore to a file.',
      details: { target, capacity: Number(capacity), needed: Number(size) },
    },
  );
}

function replacesAll(target: string): RestoreError {
  return new RestoreError(
    'restore.targetExists',
    `'${target}' is a device; everything on it would be replaced.`,
    {
      remedy:
        'See that it is the right one, then let what is there be overwritten (--overwrite); or restore to a file.',
      details: { target },
    },
  );
}
