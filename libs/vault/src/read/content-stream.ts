import type { KeyObject } from 'node:crypto';
import { createHmac } from 'node:crypto';
import { BLOCK_ID_BYTES } from '../container/contents-table.ts';
import type { UnitPlace } from '../container/object-series-writer.ts';
import type { HeldUnit, UnitReader } from '../container/unit-reader.ts';
import type { Block, PlacedBlock } from '../map/block.ts';
import type { MapReader } from '../map/map-reader.ts';
import { follows, type Stretch } from '../map/stretch.ts';

/** Content whose units are read ahead of what is being put together, in bytes; and as many pieces at most. */
const AHEAD_BYTES = 2 * 1024 * 1024;
const AHEAD_PIECES = 64;
/** What is handed out at once. */
const CHUNK_BYTES = 1024 * 1024;

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

/**
 * Content from front to back, put together from its units.
 * @param size of the content; a chunk is valid until the next one is asked for
 */
export async function* contentStream(
  map: MapReader,
  units: UnitReader,
  size: number,
): AsyncIterable<Uint8Array> {
  const chunk = Buffer.allocUnsafeSlow(Math.min(size, CHUNK_BYTES));
  let length = 0;
  for await (const { stretch, unit } of readAhead(map, units)) {
    const { unit: place, start } = stretch;
    const source =
      place === undefined || unit === undefined
        ? undefined
        : part(units, await unit.plain, place, start, stretch.size);
    for (let done = 0; done < stretch.size;) {
      const bytes = Math.min(stretch.size - done, chunk.length - length);
      if (source === undefined) chunk.fill(0, length, length + bytes);
      else source.copy(chunk, length, done, done + bytes);
      done += bytes;
      length += bytes;
      if (length < chunk.length) continue;
      yield chunk;
      length = 0;
    }
  }
  if (length > 0) yield chunk.subarray(0, length);
}

function* zeros(size: number): Iterable<Uint8Array> {
  const some = Buffer.alloc(Math.min(size, CHUNK_BYTES));
  for (let left = size; left > 0; left -= some.length) yield some.subarray(0, left);
}

async function verifiedBlock(units: UnitReader, block: PlacedBlock, identity: KeyObject): Promise<Buffer> {
  const unit = await units.read('pack', block.unit);
  const bytes = part(units, unit, block.unit, block.start, block.size);
  const id = createHmac('sha256', identity).update(bytes).digest().subarray(0, BLOCK_ID_BYTES);
  if (!id.equals(block.id)) throw units.damaged('pack', block.unit, 'wrong place');
  return bytes;
}

/** Content that has no hash of all of it: block by block, each checked against its identity. */
export async function* blockStream(
  map: MapReader,
  units: UnitReader,
  identity: KeyObject,
): AsyncIterable<Uint8Array> {
  for await (const leaf of map.leaves())
    for (const block of leaf.blocks)
      if (block.zero) yield* zeros(block.size);
      else yield await verifiedBlock(units, block, identity);
}

/** Part of the content. There is no hash of a part, so each block is checked against its identity. */
export async function contentRange(
  map: MapReader,
  units: UnitReader,
  identity: KeyObject,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const end = offset + length;
  for await (const leaf of map.leaves(offset)) {
    let at = leaf.start;
    if (at >= end) break;
    for (const block of leaf.blocks) {
      const blockEnd = at + block.size;
      if (blockEnd > offset && at < end) pieces.push(await rangeOf(block, at));
      at = blockEnd;
    }
  }
  return Buffer.concat(pieces);

  async function rangeOf(block: Block, at: number): Promise<Uint8Array> {
    const bytes = block.zero ? Buffer.alloc(block.size) : await verifiedBlock(units, block, identity);
    return bytes.subarray(Math.max(0, offset - at), Math.min(block.size, end - at));
  }
}
