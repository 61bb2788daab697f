import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { blockSizes } from '../../cut/block-sizes.ts';
import type { TaskContext } from '../../workers/task.ts';
import { Transferring } from '../../workers/task.ts';
import type { Station } from './station.ts';
import { filled, leave, open, stationOf } from './station.ts';
import type {
  Filled,
  Piece,
  ReadInput,
  ReadOutput,
  StoredPiece,
  StoreInput,
  StoreOutput,
} from './station-tasks.ts';
import { BLOCK_WORDS, KNOWN_BLOCK } from './station-tasks.ts';
import { cutOf, decide, fill, identify, wordsOf } from './store-blocks.ts';
import { storeFiles } from './store-files.ts';

/** Reads the next bytes of a file, hashes and cuts them. The calls for one lane must come in the file's order. */
function read(input: ReadInput, context: TaskContext): ReadOutput {
  const { lanes } = stationOf(context);
  const { lane, buffer, carried, from, cut } = input;
  const bytes = Buffer.from(buffer);
  let end = carried + input.filled;
  let ended = input.last;
  if (from !== undefined) {
    const limit = end + from.length;
    for (let position = from.position; end < limit;) {
      const count = readSync(from.descriptor, bytes, end, limit - end, position);
      ended ||= count === 0;
      if (count === 0) break;
      end += count;
      position += count;
    }
  }
  const hash = lanes.get(lane) ?? createHash('sha256');
  hash.update(bytes.subarray(carried, end));
  if (ended) lanes.delete(lane);
  else lanes.set(lane, hash);
  const sizes =
    cut &&
    blockSizes(
      bytes.subarray(0, end),
      { kind: 'contentDefined', averageSize: cut.averageSize },
      cut.gear,
      ended,
    );
  return {
    ...{ read: end - carried, ended },
    ...(sizes === undefined ? {} : { sizes }),
    ...(ended ? { sha256: Uint8Array.from(hash.digest()) } : {}),
  };
}

/** A file that ends before it was read to its end. */
function forget({ lane }: { readonly lane: number }, context: TaskContext): void {
  stationOf(context).lanes.delete(lane);
}

function storePiece(station: Station, bytes: Buffer, piece: Piece): StoredPiece {
  const { sizes, offset } = piece;
  const cut = cutOf(bytes, piece);
  const blocks = new Uint32Array(sizes.length * BLOCK_WORDS);
  // Known identities do not say which blocks are zeros; whoever knows them has marked those as known.
  const ids = piece.ids ?? identify(station, cut, piece.zeros, blocks);
  if (piece.ids !== undefined) for (let i = 0; i < sizes.length; i++) blocks[i * BLOCK_WORDS] = KNOWN_BLOCK;
  const fresh = decide(station, piece, wordsOf(ids), blocks);
  fill(station, cut, fresh, ids, blocks);
  const length = sizes.reduce((sum, size) => sum + size, 0);
  const bytesNew = fresh.reduce((sum, i) => sum + (sizes[i] as number), 0);
  const sha256 = piece.hash
    ? Uint8Array.from(
        createHash('sha256')
          .update(bytes.subarray(offset, offset + length))
          .digest(),
      )
    : undefined;
  return { ids, blocks, bytesNew, ...(sha256 === undefined ? {} : { sha256 }) };
}

/** Identities alone, for whoever has to look them up before anything is stored. */
function identities(input: StoreInput, context: TaskContext): StoreOutput {
  const station = stationOf(context);
  const { buffer, pieces } = input;
  const found = pieces.map((piece): StoredPiece => {
    const blocks = new Uint32Array(piece.sizes.length * BLOCK_WORDS);
    return {
      ids: identify(station, cutOf(Buffer.from(buffer), piece), piece.zeros, blocks),
      blocks,
      bytesNew: 0,
    };
  });
  return { pieces: found, units: [], sealed: [], blockBytes: 0 };
}

/** Stores what is new in a buffer. */
function store({ buffer, pieces, spare = [] }: StoreInput, context: TaskContext): Transferring<StoreOutput> {
  const station = stationOf(context);
  station.filler.reuse(spare);
  const stored = pieces.map((piece) => storePiece(station, Buffer.from(buffer), piece));
  const { output, buffers } = filled(station.filler);
  return new Transferring({ pieces: stored, ...output }, buffers);
}

/** Closes the open unit, so that what waits for its place can go on; `pack`: and the pack. */
function close({ what }: { readonly what: 'unit' | 'pack' }, context: TaskContext): Transferring<Filled> {
  const { filler } = stationOf(context);
  if (what === 'pack') filler.closePack();
  else filler.closeUnit();
  const { output, buffers } = filled(filler);
  return new Transferring(output, buffers);
}

/** The tasks of a thread that reads, cuts, hashes, compresses and seals for one backup. */
export const stationHandlers = { open, read, forget, identities, store, storeFiles, close, leave };
export type StationHandlers = typeof stationHandlers;
