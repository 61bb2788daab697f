import { crc32 } from 'node:zlib';
import { ByteReader, MalformedBytesError } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { comparePaths } from '../port/path-order.ts';
import type { StoredEntry } from '../port/entry.ts';
import type { EncodableEntry } from './entry-codec.ts';
import { decodeEntry, encodeEntry } from './entry-codec.ts';

/** A page ends before it would be larger than this, whatever its entries say. */
const MAX_PAGE_BYTES = 128 * 1024;

/** One entry in 64 begins a page, and one page in 128 an index page. */
const PAGE_MASK = 0x3f;
const INDEX_SHIFT = 16;
const INDEX_MASK = 0x7f;

/**
 * Some entries begin a page because of their name, so that pages begin at the same entries in the next backup and those
 * without a change come out the same, also when entries before them were added or removed.
 */
function beginsPage(path: Uint8Array): boolean {
  return (crc32(path) & PAGE_MASK) === 0;
}

/** The same for index pages, by the first path of the pages they list. */
export function beginsIndexPage(path: Uint8Array): boolean {
  return ((crc32(path) >>> INDEX_SHIFT) & INDEX_MASK) === 0;
}

/** A page of entries in canonical order, the path of each shortened by what it shares with the one before. */
export class EntryPageWriter {
  private out = new ByteWriter(64 * 1024);
  private previous: Uint8Array = new Uint8Array();
  first: Uint8Array | undefined;
  entries = 0;

  /** True when this entry must go to the next page. */
  isFullFor(path: Uint8Array): boolean {
    return this.entries > 0 && (beginsPage(path) || this.out.length > MAX_PAGE_BYTES);
  }

  add(entry: EncodableEntry): void {
    const { path } = entry;
    let shared = 0;
    const most = Math.min(path.length, this.previous.length);
    while (shared < most && path[shared] === this.previous[shared]) shared++;
    this.out.varint(shared).sized(path.subarray(shared));
    encodeEntry(this.out, entry);
    this.previous = path;
    this.first ??= path;
    this.entries++;
  }

  encode(): Buffer {
    return this.out.take();
  }
}

/** @throws MalformedBytesError */
export function decodeEntryPage(page: Uint8Array, backup: string): StoredEntry[] {
  const reader = new ByteReader(page);
  const entries: StoredEntry[] = [];
  let previous: Buffer | undefined;
  while (reader.remaining > 0) {
    const shared = reader.varint();
    const rest = reader.sized();
    if (shared > (previous?.length ?? 0)) throw new MalformedBytesError('path shares more than there is');
    const path = previous === undefined ? rest : Buffer.concat([previous.subarray(0, shared), rest]);
    if (previous !== undefined && comparePaths(previous, path) >= 0)
      throw new MalformedBytesError('entries out of order');
    entries.push(decodeEntry(reader, path, backup));
    previous = path;
  }
  return entries;
}
