/** What the writing side of the vault lets worker threads do. Loaded by every one of them: imports little. */
import type { PlacedUnit, SealedPart } from './pack-filler.ts';

/** What a station must know to fill packs. */
export interface StationOptions {
  readonly volume: { readonly id: string; readonly origin: string };
  readonly key?: { readonly id: string; readonly secret: Uint8Array };
  /** Secret of the block identities. */
  readonly identityKey: Uint8Array;
  readonly compressionLevel: number;
  readonly unitBytes: number;
  readonly packBytes: number;
  /** Memory of `RecentBlocks`. */
  readonly recent: SharedArrayBuffer;
}

/** A part of a buffer that holds whole blocks of one file. */
export interface Piece {
  readonly offset: number;
  /** Sizes of the blocks in it. */
  readonly sizes: Uint32Array;
  /** Whether blocks of zeros are not stored. */
  readonly zeros: boolean;
  /** Whether the SHA-256 of the piece is wanted, because it is all of a file. */
  readonly hash: boolean;
  /** 16 bytes for each block: what the parent has in its place; zeros where it has nothing. */
  readonly before?: Uint8Array;
  /** Identities, if they are known already. */
  readonly ids?: Uint8Array;
  /** 1 for each block that need not be stored. */
  readonly known?: Uint8Array;
}

/** In place of a unit's number: the block consists of zeros, or is known to whoever asked. */
export const ZERO_BLOCK = 0;
export const KNOWN_BLOCK = 0xffffffff;

/** Words for each block in `StoredPiece.blocks`: unit (or what stands for one) and start in it. */
export const BLOCK_WORDS = 2;

export interface StoredPiece {
  /** 16 bytes for each block. */
  readonly ids: Uint8Array;
  readonly blocks: Uint32Array;
  readonly bytesNew: number;
  readonly sha256?: Uint8Array;
}

/** Sealed bytes of packs and where units have come to lie. */
export interface Filled {
  readonly units: readonly PlacedUnit[];
  readonly sealed: readonly SealedPart[];
  /** Bytes of blocks in the units. */
  readonly blockBytes: number;
}

export interface StoreInput {
  readonly buffer: SharedArrayBuffer;
  readonly pieces: readonly Piece[];
  /** Memory of sealed bytes that is not needed any more. */
  readonly spare?: readonly ArrayBuffer[];
}

export interface StoreOutput extends Filled {
  readonly pieces: readonly StoredPiece[];
}

/** The next bytes of a file, read from a descriptor or in the buffer already. */
export interface ReadInput {
  readonly lane: number;
  readonly buffer: SharedArrayBuffer;
  /** Bytes at the beginning of the buffer that were read before. */
  readonly carried: number;
  /** Bytes after them that are there already. */
  readonly filled: number;
  /** Where to read more from, up to the limit. */
  readonly from?: { readonly descriptor: number; readonly position: number; readonly length: number };
  /** For content that is cut where it says so. */
  readonly cut?: { readonly averageSize: number; readonly gear: Uint32Array };
  /** Nothing comes after this, even if less was read than asked for. */
  readonly last: boolean;
}

export interface ReadOutput {
  /** Bytes that were not there before this task. */
  readonly read: number;
  /** Nothing comes after this. */
  readonly ended: boolean;
  /** Sizes of the blocks, if the content is cut where it says so; what is after them is carried over. */
  readonly sizes?: Uint32Array;
  /** SHA-256 of everything on this lane, when it has ended. */
  readonly sha256?: Uint8Array;
}

/** Whole files, one after another in a buffer, that are cut into fixed blocks. */
export interface FilesInput {
  readonly buffer: SharedArrayBuffer;
  /** Where each file begins, and how long it is. */
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  readonly blockSize: number;
  readonly spare?: readonly ArrayBuffer[];
}

/** What has become of them, in flat memory: of very many files, each block of which has few bytes. */
export interface FilesOutput extends Filled {
  /** As in `StoredPiece`, for the blocks of all files. */
  readonly ids: Uint8Array;
  readonly blocks: Uint32Array;
  /** SHA-256 of each file. */
  readonly hashes: Uint8Array;
  /** Bytes of each file that were stored. */
  readonly bytesNew: Uint32Array;
}
