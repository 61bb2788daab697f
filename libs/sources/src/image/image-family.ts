/** What makes two images the same disk, whatever name the system gives it today. */
import * as fs from 'node:fs';
import {
  backingFileOf,
  deviceFact,
  diskOfPartition,
  fileSystemIdentity,
  sizeOfOpen,
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

interface Mark {
  readonly kind: string;
  readonly at: number;
  readonly magic: Buffer;
  readonly uuidAt: number;
}

const magicOf = (text: string) => Buffer.from(text, 'latin1');

/** Where partition tables and file systems keep their magic number and their UUID. */
const marks: readonly Mark[] = [
  { kind: 'gpt', at: 512, magic: magicOf('EFI PART'), uuidAt: 512 + 56 },
  { kind: 'gpt', at: 4096, magic: magicOf('EFI PART'), uuidAt: 4096 + 56 },
  { kind: 'ext', at: 0x438, magic: magicOf('\x53\xef'), uuidAt: 0x468 },
  { kind: 'xfs', at: 0, magic: magicOf('XFSB'), uuidAt: 32 },
  { kind: 'btrfs', at: 0x10040, magic: magicOf('_BHRfS_M'), uuidAt: 0x10020 },
  { kind: 'luks', at: 0, magic: magicOf('LUKS\xba\xbe'), uuidAt: 168 },
];

function nameOnDisk(open: number): string | undefined {
  const begin = Buffer.alloc(0x10100);
  fs.readSync(open, begin, 0, begin.length, 0);
  const mark = marks.find(({ at, magic }) => begin.subarray(at, at + magic.length).equals(magic));
  if (mark === undefined) return undefined;
  const uuid = begin.subarray(mark.uuidAt, mark.uuidAt + 16).toString('hex');
  return /^0+$/.test(uuid) ? undefined : `${mark.kind}:${uuid}`;
}
