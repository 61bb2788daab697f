import { createHash } from 'node:crypto';
import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import type { UnitPlace } from '../container/object-series-writer.ts';
import { readPlace, writePlace } from '../map/index-page.ts';

/** Bytes of the hash by which a page is recognised in the next backup. */
export const PAGE_HASH_BYTES = 16;

/** First 16 bytes of the SHA-256 of a page before compression. */
export function pageHash(page: Uint8Array): Buffer {
  return createHash('sha256').update(page).digest().subarray(0, PAGE_HASH_BYTES);
}

/** One page of entries, as the index knows it. */
export interface EntryPageRef {
  readonly first: Uint8Array;
  readonly entries: number;
  /** See `pageHash`. */
  readonly hash: Uint8Array;
  readonly place: UnitPlace;
}

/** One index page and what it lists. */
export interface IndexPage {
  readonly place: UnitPlace;
  readonly hash: Uint8Array;
  readonly refs: readonly EntryPageRef[];
}

export function encodeTreeIndex(refs: readonly EntryPageRef[]): Buffer {
  const out = new ByteWriter(refs.length * 64);
  for (const ref of refs) {
    out.sized(ref.first).varint(ref.entries).bytes(ref.hash);
    writePlace(out, ref.place);
  }
  return out.take();
}

/** @throws MalformedBytesError */
export function decodeTreeIndex(page: Uint8Array): EntryPageRef[] {
  const reader = new ByteReader(page);
  const refs: EntryPageRef[] = [];
  while (reader.remaining > 0)
    refs.push({
      first: reader.sized(),
      entries: reader.varint(),
      hash: reader.bytes(PAGE_HASH_BYTES),
      place: readPlace(reader),
    });
  return refs;
}

/** A place as the manifest writes it: `volume:object:offset:length`. */
export function placeText(place: UnitPlace): string {
  return `${place.volume}:${place.object}:${place.offset}:${place.length}`;
}

/** @throws TypeError when it is none; manifests are checked by their schema before */
export function parsePlace(text: string): UnitPlace {
  const [volume, object, offset, length] = text.split(':').map(Number);
  if (volume === undefined || object === undefined || offset === undefined || length === undefined)
    throw new TypeError(`${text} is not a place`);
  return { volume, object, offset, length };
}
