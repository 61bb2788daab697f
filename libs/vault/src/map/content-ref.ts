import { ByteReader, MalformedBytesError } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { MAX_UNIT_BYTES } from '../container/unit-codec.ts';
import type { ContentRef, CutMethod } from '../port/entry.ts';
import type { Block } from './block.ts';
import type { PageRef } from './index-page.ts';
import { readPlace, writePlace } from './index-page.ts';
import { decodeBlocks, encodeBlocks } from './leaf-page.ts';

/** A file of so many blocks or fewer has them in its entry and no pages of its own. */
export const INLINE_BLOCKS = 8;

/** What a file needs of one volume. First and last are 0 when it needs none of that kind. */
export interface Holding {
  readonly volume: number;
  readonly firstPack: number;
  readonly lastPack: number;
  /** Content bytes that lie in packs of this volume. */
  readonly bytes: number;
  readonly firstMap: number;
  readonly lastMap: number;
}

export type ContentLayout =
  | { readonly kind: 'inline'; readonly blocks: readonly Block[] }
  /** Level 0: the root is a leaf page; level n: an index page over pages of level n - 1. */
  | {
      readonly kind: 'tree';
      readonly level: number;
      readonly root: PageRef;
      readonly holdings: readonly Holding[];
    };

/** What proves the content: the SHA-256 of all of it, or the identity of each block. Other values are refused. */
const PROOF_SHA256 = 0;
const PROOF_BLOCKS = 1;
const INLINE = 0;
const TREE = 1;
const FIXED = 0;
const CONTENT_DEFINED = 1;

export interface Content {
  readonly size: bigint;
  readonly sha256?: Uint8Array;
  readonly cut: CutMethod;
  readonly layout: ContentLayout;
}

export function encodeContent(content: Content): Buffer {
  const { size, sha256, cut, layout } = content;
  const out = new ByteWriter(256);
  out.u8(layout.kind === 'inline' ? INLINE : TREE).varbig(size);
  if (sha256 === undefined) out.u8(PROOF_BLOCKS);
  else out.u8(PROOF_SHA256).bytes(sha256);
  if (cut.kind === 'fixed') out.u8(FIXED).varint(cut.blockSize);
  else out.u8(CONTENT_DEFINED).varint(cut.averageSize);
  if (layout.kind === 'inline') return out.bytes(encodeBlocks(layout.blocks, cut)).take();
  out.varint(layout.level);
  writePlace(out, layout.root.place);
  out.varint(layout.holdings.length);
  for (const holding of layout.holdings) {
    out.varint(holding.volume).varint(holding.firstPack).varint(holding.lastPack).varint(holding.bytes);
    out.varint(holding.firstMap).varint(holding.lastMap);
  }
  return out.take();
}

/** @throws MalformedBytesError */
export function decodeContent(encoded: Uint8Array): Content {
  const reader = new ByteReader(encoded);
  const kind = reader.u8();
  const size = reader.varbig();
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw new MalformedBytesError('file too large');
  const proof = reader.u8();
  if (proof !== PROOF_SHA256 && proof !== PROOF_BLOCKS)
    throw new MalformedBytesError(`unknown proof of content ${proof}`);
  const sha256 = proof === PROOF_SHA256 ? reader.bytes(32) : undefined;
  const cutKind = reader.u8();
  const cutSize = reader.varint();
  if (cutKind > CONTENT_DEFINED || cutSize === 0 || cutSize > MAX_UNIT_BYTES)
    throw new MalformedBytesError(`unknown way of cutting ${cutKind}/${cutSize}`);
  const cut: CutMethod =
    cutKind === FIXED
      ? { kind: 'fixed', blockSize: cutSize }
      : { kind: 'contentDefined', averageSize: cutSize };
  const bytes = Number(size);
  if (kind === INLINE) {
    const blocks = decodeBlocks(reader.bytes(reader.remaining), cut, bytes);
    return { size, ...(sha256 && { sha256 }), cut, layout: { kind: 'inline', blocks } };
  }
  if (kind !== TREE) throw new MalformedBytesError(`unknown layout ${kind}`);
  const level = reader.varint();
  if (level > 8) throw new MalformedBytesError(`a map of ${level} levels`);
  const root = { place: readPlace(reader), bytes };
  const count = reader.varint();
  if (count > reader.remaining) throw new MalformedBytesError('more holdings than bytes');
  const holdings: Holding[] = [];
  for (let i = 0; i < count; i++)
    holdings.push({
      volume: reader.varint(),
      firstPack: reader.varint(),
      lastPack: reader.varint(),
      bytes: reader.varint(),
      firstMap: reader.varint(),
      lastMap: reader.varint(),
    });
  return { size, ...(sha256 && { sha256 }), cut, layout: { kind: 'tree', level, root, holdings } };
}

/** A content reference that remembers which backup it came from, so that it cannot be used with another. */
export class StoredContent implements ContentRef {
  readonly size: bigint;
  readonly sha256?: Uint8Array;
  readonly cut: CutMethod;
  readonly encoded: Uint8Array;
  readonly layout: ContentLayout;
  readonly backup: string;

  constructor(encoded: Uint8Array, backup: string) {
    const content = decodeContent(encoded);
    this.size = content.size;
    if (content.sha256 !== undefined) this.sha256 = content.sha256;
    this.cut = content.cut;
    this.layout = content.layout;
    this.encoded = encoded;
    this.backup = backup;
  }
}

/** What the blocks and pages of a file need of each volume, collected block by block. */
export class Holdings {
  private readonly byVolume = new Map<number, { -readonly [K in keyof Holding]: Holding[K] }>();

  private of(volume: number): { -readonly [K in keyof Holding]: Holding[K] } {
    let holding = this.byVolume.get(volume);
    if (holding === undefined) {
      holding = { volume, firstPack: 0, lastPack: 0, bytes: 0, firstMap: 0, lastMap: 0 };
      this.byVolume.set(volume, holding);
    }
    return holding;
  }

  block(block: Block): void {
    if (block.zero) return;
    const holding = this.of(block.unit.volume);
    const { object } = block.unit;
    holding.bytes += block.size;
    holding.firstPack = holding.firstPack === 0 ? object : Math.min(holding.firstPack, object);
    holding.lastPack = Math.max(holding.lastPack, object);
  }

  /** Begins with what the file needs that this one is made from. */
  takeOver(holdings: readonly Holding[]): void {
    for (const holding of holdings) this.byVolume.set(holding.volume, { ...holding });
  }

  /** A block that was taken over and is not needed any more. The ranges stay: they may say more than is needed. */
  without(block: Block): void {
    if (!block.zero) this.of(block.unit.volume).bytes -= block.size;
  }

  page(ref: PageRef): void {
    const holding = this.of(ref.place.volume);
    const { object } = ref.place;
    holding.firstMap = holding.firstMap === 0 ? object : Math.min(holding.firstMap, object);
    holding.lastMap = Math.max(holding.lastMap, object);
  }

  list(): Holding[] {
    return [...this.byVolume.values()].sort((a, b) => a.volume - b.volume);
  }
}

export function holdingsOf(layout: ContentLayout): readonly Holding[] {
  if (layout.kind === 'tree') return layout.holdings;
  const holdings = new Holdings();
  for (const block of layout.blocks) holdings.block(block);
  return holdings.list();
}
