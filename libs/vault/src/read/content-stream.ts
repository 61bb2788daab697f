import type { KeyObject } from 'node:crypto';
import { createHmac } from 'node:crypto';
import { BLOCK_ID_BYTES } from '../container/contents-table.ts';
import type { UnitPlace } from '../container/object-series-writer.ts';
import type { HeldUnit, UnitReader } from '../container/unit-reader.ts';
import type { PlacedBlock } from '../map/block.ts';
import { samePlace } from '../map/leaf-page.ts';
import type { MapReader } from '../map/map-reader.ts';
import { follows, type Stretch } from '../map/stretch.ts';

/** Content whose units are read ahead of what is being put together, in bytes; and as many pieces at most. */
const AHEAD_BYTES = 2 * 1024 * 1024;
const AHEAD_PIECES = 64;
/** What is handed out at once. */
const CHUNK_BYTES = 1024 * 1024;
/** Of what is checked block by block: so much is still in the processor's cache when it is used. */
const CHECKED_CHUNK_BYTES = 64 * 1024;

/** The stretches of a map, also those that go on in the next leaf, each as long as can be. */
async function* stretchesIn(map: MapReader): AsyncIterable<Stretch> {
  let open: Stretch | undefined;
  for await (const stretches of map.stretches())
    for (const stretch of stretches) {
      if (open !== undefined && follows(open, stretch.unit, stretch.start)) {
        open.size += stretch.size;
        continue;
      }
      if (open !== undefined) yield open;
      open = stretch;
    }
  if (open !== undefined) yield open;
}

function part(units: UnitReader, unit: Buffer, place: UnitPlace, start: number, size: number): Buffer {
  if (start + size > unit.length) throw units.damaged('pack', place, 'malformed');
  return unit.subarray(start, start + size);
}

/** Stretches in the file's order, with their units on the way: those of what comes next are read meanwhile. */
async function* readAhead(
  map: MapReader,
  units: UnitReader,
): AsyncIterable<{ readonly stretch: Stretch; readonly unit: HeldUnit | undefined }> {
  const ahead: { stretch: Stretch; unit: HeldUnit | undefined }[] = [];
  let bytes = 0;
  try {
    for await (const stretch of stretchesIn(map)) {
      ahead.push({
        stretch,
        unit: stretch.unit === undefined ? undefined : units.hold('pack', stretch.unit),
      });
      bytes += stretch.size;
      while (bytes > AHEAD_BYTES || ahead.length > AHEAD_PIECES) {
        const first = ahead[0];
        if (first === undefined) break;
        yield first;
        bytes -= first.stretch.size;
        ahead.shift()?.unit?.release();
      }
    }
    for (const next of ahead) yield next;
  } finally {
    for (const { unit } of ahead) unit?.release();
  }
}

/** Bytes that are valid until the next ones are asked for, or so many zeros. */
type Piece = Buffer | number;

/** Puts pieces together in chunks of a size. A chunk is valid until the next one is asked for. */
async function* inChunks(size: number, pieces: AsyncIterable<Piece>): AsyncIterable<Uint8Array> {
  // A map may hold more than the entry says; with no room at all there would be no end.
  const chunk = Buffer.allocUnsafeSlow(Math.max(1, size));
  let length = 0;
  for await (const piece of pieces) {
    const all = typeof piece === 'number' ? piece : piece.length;
    for (let done = 0; done < all;) {
      const bytes = Math.min(all - done, chunk.length - length);
      if (typeof piece === 'number') chunk.fill(0, length, length + bytes);
      else piece.copy(chunk, length, done, done + bytes);
      done += bytes;
      length += bytes;
      if (length < chunk.length) continue;
      yield chunk;
      length = 0;
    }
  }
  if (length > 0) yield chunk.subarray(0, length);
}

async function* piecesOf(map: MapReader, units: UnitReader): AsyncIterable<Piece> {
  for await (const { stretch, unit } of readAhead(map, units)) {
    const { unit: place, start, size } = stretch;
    if (place === undefined || unit === undefined) yield size;
    else yield part(units, await unit.plain, place, start, size);
  }
}

/**
 * Content from front to back, put together from its units.
 * @param size of the content; a chunk is valid until the next one is asked for
 */
export function contentStream(map: MapReader, units: UnitReader, size: number): AsyncIterable<Uint8Array> {
  return inChunks(Math.min(size, CHUNK_BYTES), piecesOf(map, units));
}

/** The unit that was used last, held: blocks that follow each other mostly lie in the same. */
class LastUnit {
  private readonly units: UnitReader;
  private last: { readonly place: UnitPlace; readonly held: HeldUnit } | undefined;

  constructor(units: UnitReader) {
    this.units = units;
  }

  /** A block, checked against its identity; valid until the next one is asked for. @throws DamagedObjectError */
  async verified({ unit, start, size, id }: PlacedBlock, identity: KeyObject): Promise<Buffer> {
    if (this.last === undefined || !samePlace(this.last.place, unit)) {
      this.release();
      this.last = { place: unit, held: this.units.hold('pack', unit) };
    }
    const bytes = part(this.units, await this.last.held.plain, unit, start, size);
    const found = createHmac('sha256', identity).update(bytes).digest().subarray(0, BLOCK_ID_BYTES);
    if (!found.equals(id)) throw this.units.damaged('pack', unit, 'wrong place');
    return bytes;
  }

  release(): void {
    this.last?.held.release();
    this.last = undefined;
  }
}

async function* verifiedPieces(map: MapReader, units: UnitReader, identity: KeyObject): AsyncIterable<Piece> {
  const last = new LastUnit(units);
  try {
    for await (const { blocks } of map.leaves())
      for (const block of blocks) yield block.zero ? block.size : await last.verified(block, identity);
  } finally {
    last.release();
  }
}

/**
 * Content that has no hash of all of it: block by block, each checked against its identity.
 * @param size of the content; a chunk is valid until the next one is asked for
 */
export function blockStream(
  map: MapReader,
  units: UnitReader,
  identity: KeyObject,
  size: number,
): AsyncIterable<Uint8Array> {
  return inChunks(Math.min(size, CHECKED_CHUNK_BYTES), verifiedPieces(map, units, identity));
}

/** Part of the content. There is no hash of a part, so each block is checked against its identity. */
export async function contentRange(
  map: MapReader,
  units: UnitReader,
  identity: KeyObject,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const part = Buffer.alloc(length);
  let filled = 0;
  const end = offset + length;
  const last = new LastUnit(units);
  try {
    for await (const leaf of map.leaves(offset)) {
      let at = leaf.start;
      if (at >= end) break;
      for (const block of leaf.blocks) {
        const [from, to] = [Math.max(0, offset - at), Math.min(block.size, end - at)];
        at += block.size;
        if (from >= to) continue;
        if (!block.zero) (await last.verified(block, identity)).copy(part, filled, from, to);
        filled += to - from;
      }
    }
  } finally {
    last.release();
  }
  return part.subarray(0, filled);
}
