/** The UUID that partition tables and file systems carry on the disk, for who may read it. */
import * as fs from 'node:fs';

interface Mark {
  readonly kind: string;
  readonly at: number;
  readonly magic: Buffer;
  readonly uuidAt: number;
}

const magicOf = (text: string) => Buffer.from(text, 'latin1');

/** Where they keep their magic number and their UUID. */
const marks: readonly Mark[] = [
  { kind: 'gpt', at: 512, magic: magicOf('EFI PART'), uuidAt: 512 + 56 },
  { kind: 'gpt', at: 4096, magic: magicOf('EFI PART'), uuidAt: 4096 + 56 },
  { kind: 'ext', at: 0x438, magic: magicOf('\x53\xef'), uuidAt: 0x468 },
  { kind: 'xfs', at: 0, magic: magicOf('XFSB'), uuidAt: 32 },
  { kind: 'btrfs', at: 0x10040, magic: magicOf('_BHRfS_M'), uuidAt: 0x10020 },
  { kind: 'f2fs', at: 0x400, magic: magicOf('\x10\x20\xf5\xf2'), uuidAt: 0x46c },
  { kind: 'luks', at: 0, magic: magicOf('LUKS\xba\xbe'), uuidAt: 168 },
];

/** What an open disk says it is, such as `ext:0f3a…`; undefined for what is not known or has no UUID. */
export function uuidOnDisk(open: number): { kind: string; uuid: string } | undefined {
  const begin = Buffer.alloc(0x10100);
  fs.readSync(open, begin, 0, begin.length, 0);
  const mark = marks.find(({ at, magic }) => begin.subarray(at, at + magic.length).equals(magic));
  if (mark === undefined) return undefined;
  // LUKS writes it as text.
  const uuid =
    mark.kind === 'luks'
      ? begin
          .subarray(mark.uuidAt, mark.uuidAt + 36)
          .toString('latin1')
          .replaceAll('-', '')
      : begin.subarray(mark.uuidAt, mark.uuidAt + 16).toString('hex');
  return /^0*$/.test(uuid) ? undefined : { kind: mark.kind, uuid };
}

/** The UUID of the file system on a device; undefined where it cannot be read. */
export function superblockUuid(device: string): string | undefined {
  if (!device.startsWith('/dev/')) return undefined;
  try {
    const open = fs.openSync(device, fs.constants.O_RDONLY);
    try {
      return uuidOnDisk(open)?.uuid;
    } finally {
      fs.closeSync(open);
    }
  } catch {
    // Only root and the group disk may look there; there are other ways to tell.
    return undefined;
  }
}
