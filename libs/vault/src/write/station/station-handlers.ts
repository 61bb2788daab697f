import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { BLOCK_ID_BYTES } from '../../container/contents-table.ts';
import { blockSizes } from '../../cut/block-sizes.ts';
import type { TaskContext } from '../../workers/task.ts';
import { Transferring } from '../../workers/task.ts';
import { BlockIdentities } from './block-identity.ts';
import { PackFiller } from './pack-filler.ts';
import { RecentBlocks } from './recent-blocks.ts';
import type {
  Filled,
  Piece,
  ReadInput,
  ReadOutput,
  StationOptions,
  StoredPiece,
  StoreInput,
  StoreOutput,
} from './station-tasks.ts';
import { BLOCK_WORDS, KNOWN_BLOCK, ZERO_BLOCK } from './station-tasks.ts';

const ZEROS = Buffer.alloc(1024 * 1024);

/** What one thread keeps of one backup. */
interface Station {
  readonly identities: BlockIdentities;
  readonly recent: RecentBlocks;
  readonly filler: PackFiller;
  readonly lanes: Map<number, Hash>;
}

function open(options: StationOptions, { state }: TaskContext): void {
  const recent = new RecentBlocks(options.recent);
  const station: Station = {
    identities: new BlockIdentities(options.identityKey),
    recent,
    filler: new PackFiller(options, recent),
    lanes: new Map(),
  };
  state.set('station', station);
}

function stationOf({ state }: TaskContext): Station {
  return state.get('station') as Station;
}

function isZero(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] !== 0 || bytes[end - 1] !== 0) return false;
  for (let at = start; at < end; at += ZEROS.length) {
    const length = Math.min(ZEROS.length, end - at);
    if (bytes.compare(ZEROS, 0, length, at, at + length) !== 0) return false;
  }
  return true;
}

function filled(filler: PackFiller): { output: Filled; buffers: ArrayBuffer[] } {
  const output = filler.take();
  return { output, buffers: output.sealed.map(({ bytes }) => bytes.buffer) };
}

/** Reads the next bytes of a file, hashes and cuts them. The calls for one lane must come in the file's order. */
function read(input: ReadInput, context: TaskContext): Transferring<ReadOutput> {
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
  return new Transferring(
    {
      ...{ buffer, read: end - carried, ended },
      ...(sizes === undefined ? {} : { sizes }),
      ...(ended ? { sha256: Uint8Array.from(hash.digest()) } : {}),
    },
    [buffer],
  );
}

/** A file that ends before it was read to its end. */
function forget({ lane }: { readonly lane: number }, context: TaskContext): void {
  stationOf(context).lanes.delete(lane);
}

function sameId(ids: Uint32Array, before: Uint32Array, block: number): boolean {
  const at = block * 4;
  return (
    ids[at] === before[at] &&
    ids[at + 1] === before[at + 1] &&
    ids[at + 2] === before[at + 2] &&
    ids[at + 3] === before[at + 3]
  );
}

const words = (bytes: Uint8Array) => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);

/** Identities of a piece's blocks; blocks of zeros get none. Marks them in `blocks`. */
function identify(
  station: Station,
  bytes: Buffer,
  piece: Piece,
  blocks: Uint32Array,
): Uint8Array<ArrayBuffer> {
  const { sizes, zeros } = piece;
  const ids = new Uint8Array(sizes.length * BLOCK_ID_BYTES);
  let at = piece.offset;
  for (let i = 0; i < sizes.length; i++) {
    const end = at + (sizes[i] as number);
    blocks[i * BLOCK_WORDS] = KNOWN_BLOCK;
    if (zeros && isZero(bytes, at, end)) blocks[i * BLOCK_WORDS] = ZERO_BLOCK;
    else station.identities.write(bytes, at, end, ids, i * BLOCK_ID_BYTES);
    at = end;
  }
  return ids;
}

/** Decides for each block whether and where it is stored. @returns which ones are new */
function decide(station: Station, piece: Piece, ids: Uint32Array, blocks: Uint32Array): number[] {
  const { sizes, known } = piece;
  const before = piece.before && words(piece.before);
  const { recent, filler } = station;
  const fresh: number[] = [];
  let ahead: { unit: number; length: number } | undefined;
  recent.locked(() => {
    for (let i = 0; i < sizes.length; i++) {
      if (blocks[i * BLOCK_WORDS] === ZERO_BLOCK || known?.[i] === 1) continue;
      if (before !== undefined && sameId(ids, before, i)) continue;
      const size = sizes[i] as number;
      let place = recent.find(ids, i, size);
      if (place === undefined) {
        ahead = filler.plan(size, ahead);
        place = { unit: ahead.unit, start: ahead.length - size };
        recent.remember(ids, i, size, place);
        fresh.push(i);
      }
      blocks[i * BLOCK_WORDS] = place.unit;
      blocks[i * BLOCK_WORDS + 1] = place.start;
    }
  });
  return fresh;
}

function storePiece(station: Station, bytes: Buffer, piece: Piece): StoredPiece {
  const { sizes, offset } = piece;
  const blocks = new Uint32Array(sizes.length * BLOCK_WORDS);
  // Known identities do not say which blocks are zeros; whoever knows them has marked those as known.
  const ids = piece.ids ?? identify(station, bytes, piece, blocks);
  if (piece.ids !== undefined) for (let i = 0; i < sizes.length; i++) blocks[i * BLOCK_WORDS] = KNOWN_BLOCK;
  let bytesNew = 0;
  let next = 0;
  let at = offset;
  const fresh = decide(station, piece, words(ids), blocks);
  for (let i = 0; i < sizes.length && next < fresh.length; i++) {
    const size = sizes[i] as number;
    if (fresh[next] === i) {
      next++;
      bytesNew += size;
      const id = ids.slice(i * BLOCK_ID_BYTES, (i + 1) * BLOCK_ID_BYTES);
      station.filler.add(blocks[i * BLOCK_WORDS] as number, id, bytes.subarray(at, at + size));
    }
    at += size;
  }
  const length = sizes.reduce((sum, size) => sum + size, 0);
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
function identities(input: StoreInput, context: TaskContext): Transferring<StoreOutput> {
  const station = stationOf(context);
  const { buffer, pieces } = input;
  const found = pieces.map((piece): StoredPiece => {
    const blocks = new Uint32Array(piece.sizes.length * BLOCK_WORDS);
    return { ids: identify(station, Buffer.from(buffer), piece, blocks), blocks, bytesNew: 0 };
  });
  return new Transferring({ buffer, pieces: found, units: [], sealed: [], blockBytes: 0 }, [buffer]);
}

/** Stores what is new in a buffer. */
function store({ buffer, pieces, spare = [] }: StoreInput, context: TaskContext): Transferring<StoreOutput> {
  const station = stationOf(context);
  station.filler.reuse(spare);
  const stored = pieces.map((piece) => storePiece(station, Buffer.from(buffer), piece));
  const { output, buffers } = filled(station.filler);
  return new Transferring({ buffer, pieces: stored, ...output }, [buffer, ...buffers]);
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
export const stationHandlers = { open, read, forget, identities, store, close };
export type StationHandlers = typeof stationHandlers;
