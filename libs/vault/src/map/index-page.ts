import { ByteReader, MalformedBytesError } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import type { UnitPlace } from '../container/object-series-writer.ts';

/** Pages that one index page points to; only the last of a level has fewer. */
export const INDEX_FANOUT = 256;

/** A page of a map, and the bytes of content beneath it. */
export interface PageRef {
  readonly place: UnitPlace;
  readonly bytes: number;
}

export function writePlace(out: ByteWriter, place: UnitPlace): void {
  out.varint(place.volume).varint(place.object).varint(place.offset).varint(place.length);
}

export function readPlace(reader: ByteReader): UnitPlace {
  return {
    volume: reader.varint(),
    object: reader.varint(),
    offset: reader.varint(),
    length: reader.varint(),
  };
}

export function encodeIndexPage(refs: readonly PageRef[]): Buffer {
  const out = new ByteWriter(refs.length * 16);
  for (const ref of refs) {
    writePlace(out, ref.place);
    out.varint(ref.bytes);
  }
  return out.take();
}

/** @throws MalformedBytesError */
export function decodeIndexPage(page: Uint8Array, bytes: number): PageRef[] {
  const reader = new ByteReader(page);
  const refs: PageRef[] = [];
  let left = bytes;
  while (reader.remaining > 0) {
    const ref = { place: readPlace(reader), bytes: reader.varint() };
    left -= ref.bytes;
    if (ref.bytes === 0 || left < 0 || refs.length === INDEX_FANOUT)
      throw new MalformedBytesError('index page does not fit its file');
    refs.push(ref);
  }
  if (left !== 0) throw new MalformedBytesError(`${left} bytes of the file have no page`);
  return refs;
}
