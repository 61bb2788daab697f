import { ByteReader, MalformedBytesError } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { StoredContent } from '../map/content-ref.ts';
import type { Entry, EntryKind, StoredEntry } from '../port/entry.ts';

const KINDS: readonly EntryKind[] = [
  'file',
  'folder',
  'symlink',
  'fifo',
  'socket',
  'blockDevice',
  'characterDevice',
];

/**
 * Fields that not every entry has, each as tag, length, value. A reader skips an even tag it does not know and
 * refuses an odd one.
 */
const TAG = {
  content: 1,
  linkTarget: 3,
  hardLink: 5,
  deviceNumber: 7,
  user: 2,
  group: 4,
  xattrs: 6,
} as const;

/** An entry on its way into a page: its content reference is encoded already. */
export interface EncodableEntry extends Entry {
  readonly readAt: bigint;
  readonly encodedContent?: Uint8Array;
}

function encodeXattrs(xattrs: NonNullable<Entry['xattrs']>): Buffer {
  const out = new ByteWriter(256);
  for (const [name, value] of xattrs) out.sized(name).sized(value);
  return out.take();
}

/** Everything but the path, which the page shortens. */
export function encodeEntry(out: ByteWriter, entry: EncodableEntry): void {
  out.u8(KINDS.indexOf(entry.kind));
  out.varint(entry.mode).varint(entry.uid).varint(entry.gid);
  out.i64(entry.mtime).i64(entry.ctime).i64(entry.readAt);
  out.varbig(entry.inode).varbig(entry.device).varbig(entry.size);
  const fields: [number, Uint8Array][] = [];
  if (entry.encodedContent !== undefined) fields.push([TAG.content, entry.encodedContent]);
  if (entry.linkTarget !== undefined) fields.push([TAG.linkTarget, entry.linkTarget]);
  if (entry.hardLink !== undefined) fields.push([TAG.hardLink, entry.hardLink]);
  if (entry.deviceNumber !== undefined)
    fields.push([TAG.deviceNumber, new ByteWriter(16).varbig(entry.deviceNumber).take()]);
  if (entry.user !== undefined) fields.push([TAG.user, Buffer.from(entry.user)]);
  if (entry.group !== undefined) fields.push([TAG.group, Buffer.from(entry.group)]);
  if (entry.xattrs !== undefined) fields.push([TAG.xattrs, encodeXattrs(entry.xattrs)]);
  out.varint(fields.length);
  for (const [tag, value] of fields) out.varint(tag).sized(value);
}

function decodeXattrs(bytes: Uint8Array): [Uint8Array, Uint8Array][] {
  const reader = new ByteReader(bytes);
  const xattrs: [Uint8Array, Uint8Array][] = [];
  while (reader.remaining > 0) xattrs.push([reader.sized(), reader.sized()]);
  return xattrs;
}

function decodeField(tag: number, value: Buffer, backup: string): Partial<StoredEntry> {
  switch (tag) {
    case TAG.content:
      return { content: new StoredContent(value, backup) };
    case TAG.linkTarget:
      return { linkTarget: value };
    case TAG.hardLink:
      return { hardLink: value };
    case TAG.deviceNumber:
      return { deviceNumber: new ByteReader(value).varbig() };
    case TAG.user:
      return { user: value.toString() };
    case TAG.group:
      return { group: value.toString() };
    case TAG.xattrs:
      return { xattrs: decodeXattrs(value) };
    default:
      if (tag % 2 === 1) throw new MalformedBytesError(`entry field ${tag} must be known to read the entry`);
      return {};
  }
}

/** @throws MalformedBytesError */
export function decodeEntry(reader: ByteReader, path: Uint8Array, backup: string): StoredEntry {
  const kind = KINDS[reader.u8()];
  if (kind === undefined) throw new MalformedBytesError('unknown kind of entry');
  const entry: StoredEntry = {
    path,
    kind,
    mode: reader.varint(),
    uid: reader.varint(),
    gid: reader.varint(),
    mtime: reader.i64(),
    ctime: reader.i64(),
    readAt: reader.i64(),
    inode: reader.varbig(),
    device: reader.varbig(),
    size: reader.varbig(),
  };
  for (let fields = reader.varint(); fields > 0; fields--) {
    const tag = reader.varint();
    Object.assign(entry, decodeField(tag, reader.sized(), backup));
  }
  return entry;
}
