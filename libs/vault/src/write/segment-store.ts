import { BLOCK_ID_BYTES } from '../container/contents-table.ts';
import type { PlacedBlock } from '../map/block.ts';
import type { KnownBlock } from './known-blocks.ts';
import { idKey } from './known-blocks.ts';
import type { SegmentBuffers } from './segment-buffers.ts';
import type { Piece, StoredPiece } from './station/station-tasks.ts';
import { BLOCK_WORDS, ZERO_BLOCK } from './station/station-tasks.ts';
import type { Stations } from './stations.ts';

/** A stored piece, with the blocks that were found elsewhere. */
export interface LookedUp extends StoredPiece {
  readonly sizes: Uint32Array;
  /** Absent when none was looked for; else one for each block. */
  readonly found?: readonly (KnownBlock | undefined)[];
}

export type FindBlock = (key: string) => PlacedBlock | undefined;

/** Stores buffers full of blocks; asks first for those that may be found elsewhere than in the threads' memory. */
export class SegmentStore {
  private readonly stations: Stations;
  private readonly buffers: SegmentBuffers;
  private readonly leftovers: { find(key: string): Promise<KnownBlock | undefined> } | undefined;
  private readonly onStored: (bytes: number) => void;

  constructor(
    stations: Stations,
    buffers: SegmentBuffers,
    leftovers: { find(key: string): Promise<KnownBlock | undefined> } | undefined,
    onStored: (bytes: number) => void,
  ) {
    this.stations = stations;
    this.buffers = buffers;
    this.leftovers = leftovers;
    this.onStored = onStored;
  }

  /** Gives the buffer back when it has been stored, or not. */
  async store(
    buffer: SharedArrayBuffer,
    pieces: readonly Piece[],
    find: FindBlock | undefined,
  ): Promise<LookedUp[]> {
    const bytes = pieces.reduce((sum, { sizes }) => sum + sizes.reduce((a, b) => a + b, 0), 0);
    try {
      let wanted = pieces;
      let found: (readonly (KnownBlock | undefined)[])[] = [];
      if (find !== undefined || this.leftovers !== undefined) {
        const known = await this.stations.identities({ buffer, pieces }, bytes);
        found = await Promise.all(
          known.pieces.map((piece, i) => this.lookUp(piece, pieces[i] as Piece, find)),
        );
        wanted = pieces.map((piece, i) => withKnown(piece, known.pieces[i] as StoredPiece, found[i] ?? []));
        const stored = await this.stations.store({ buffer, pieces: wanted }, bytes);
        return this.results(wanted, stored.pieces, found).map((piece, i) =>
          withZeros(piece, known.pieces[i] as StoredPiece),
        );
      }
      const stored = await this.stations.store({ buffer, pieces }, bytes);
      return this.results(pieces, stored.pieces, found);
    } finally {
      this.buffers.give(buffer);
    }
  }

  private results(
    pieces: readonly Piece[],
    stored: readonly StoredPiece[],
    found: readonly (readonly (KnownBlock | undefined)[])[],
  ): LookedUp[] {
    return stored.map((piece, i) => {
      this.onStored(piece.bytesNew);
      const blocks = found[i];
      const { sizes } = pieces[i] as Piece;
      return { ...piece, sizes, ...(blocks === undefined ? {} : { found: blocks }) };
    });
  }

  private async lookUp(
    { ids, blocks }: StoredPiece,
    { sizes, before }: Piece,
    find: FindBlock | undefined,
  ): Promise<(KnownBlock | undefined)[]> {
    const found: (KnownBlock | undefined)[] = [];
    for (let i = 0; i < sizes.length; i++) {
      found.push(undefined);
      if (blocks[i * BLOCK_WORDS] === ZERO_BLOCK) continue;
      const id = ids.subarray(i * BLOCK_ID_BYTES, (i + 1) * BLOCK_ID_BYTES);
      const inPlace = before?.subarray(i * BLOCK_ID_BYTES, (i + 1) * BLOCK_ID_BYTES);
      if (inPlace !== undefined && Buffer.compare(id, inPlace) === 0) continue;
      const key = idKey(id);
      const known = find?.(key) ?? (await this.leftovers?.find(key));
      if (known?.size === sizes[i]) found[i] = known;
    }
    return found;
  }
}

function withKnown(
  piece: Piece,
  { ids, blocks }: StoredPiece,
  found: readonly (KnownBlock | undefined)[],
): Piece {
  const known = Uint8Array.from(found, (block, i) =>
    block !== undefined || blocks[i * BLOCK_WORDS] === ZERO_BLOCK ? 1 : 0,
  );
  return { ...piece, ids, known };
}

/** A block of zeros was marked as known, so that it is not stored; it is not known from anywhere. */
function withZeros(piece: LookedUp, { blocks }: StoredPiece): LookedUp {
  for (let i = 0; i < piece.sizes.length; i++)
    if (blocks[i * BLOCK_WORDS] === ZERO_BLOCK) piece.blocks[i * BLOCK_WORDS] = ZERO_BLOCK;
  return piece;
}
