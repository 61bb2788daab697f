/** What makes two images the same disk, whatever name the system gives it today. */
import {
  backingFileOf,
  deviceFact,
  diskOfPartition,
  fileSystemIdentity,
  sizeOfOpen,
  uuidOnDisk,
} from '../system-calls/index.ts';

/** The family of the image in a file: where the file is. */
export function familyOfFile(file: string): string {
  return `image:${fileSystemIdentity(Buffer.from(file))}:${file}`;
}

/**
 * The family of a block device: what its maker, its volume manager or its partition table calls it; for want of that
 * the file system that is on it; for want of that its path and size.
 */
export function familyOfDevice(path: string, device: bigint, open: number): string {
  const behind = backingFileOf(device);
  if (behind !== undefined) return familyOfFile(behind);
  const name =
    nameOf(device) ?? partitionName(device) ?? nameOnDisk(open) ?? `path:${path}:${sizeOfOpen(open)}`;
  return `image:${name}`;
}

/** What a volume manager, or the disk itself, says. */
function nameOf(device: bigint): string | undefined {
  const facts: [kind: string, file: string][] = [
    ['mapped', 'dm/uuid'],
    ['array', 'md/uuid'],
    ['wwid', 'wwid'],
    ['wwid', 'device/wwid'],
    ['serial', 'serial'],
    ['serial', 'device/serial'],
  ];
  for (const [kind, file] of facts) {
    const text = deviceFact(device, file);
    if (text !== undefined) return `${kind}:${text.replaceAll(/\s+/g, ' ')}`;
  }
  return undefined;
}

function partitionName(device: bigint): string | undefined {
  const number = deviceFact(device, 'partition');
  if (number === undefined) return undefined;
  const uuid = /^PARTUUID=(.+)$/m.exec(deviceFact(device, 'uevent') ?? '')?.[1];
  if (uuid !== undefined) return `partition:${uuid}`;
  const disk = diskOfPartition(device);
  const name = disk === undefined ? undefined : nameOf(disk);
  return name && `${name}:${number}`;
}

function nameOnDisk(open: number): string | undefined {
  const found = uuidOnDisk(open);
  return found && `${found.kind}:${found.uuid}`;
}
