import { ChangesMalformedError } from '../error/writer-error.ts';
import type { Block } from '../map/block.ts';
import type { StoredContent } from '../map/content-ref.ts';
import { holdingsOf } from '../map/content-ref.ts';
import type { Holding } from '../map/content-ref.ts';
import type { PageRef } from '../map/index-page.ts';
import { LEAF_BLOCKS } from '../map/leaf-page.ts';
import type { MapReader } from '../map/map-reader.ts';
import type { ChangedContent } from '../port/backup-writer.ts';
import type { LeafBefore } from './blocks-before.ts';
import { leafBefore } from './blocks-before.ts';
import { changedLeaves, type ChangedLeaf } from './changed-leaves.ts';

/** The parent's content that is being changed. */
export interface ContentBefore {
  readonly content: StoredContent;
  readonly map: MapReader;
  readonly read: (offset: number, length: number) => Promise<Uint8Array>;
}

/** What becomes of the changes, leaf by leaf in the file's order. */
export interface ChangedFile<B> {
  begin(holdings: readonly Holding[]): void;
  stored(blocks: readonly Uint8Array[]): Promise<readonly B[]>;
  /** A leaf in which something changed; `before` as it was in the parent. */
  leaf(blocks: readonly (B | Block)[], before: LeafBefore | undefined): Promise<void>;
  leavesAsBefore(refs: readonly PageRef[]): Promise<void>;
  /** A block of the parent that was counted in `begin`. */
  without(block: Block): void;
}

/** Leaves that may be on their way to the repository. */
const LEAVES_AHEAD = 32;
/** Leaves without a change that are handed on together. */
const REFS_AT_ONCE = 1024;
const NO_CHANGE: ChangedLeaf['blocks'] = new Map();

/** What the parent has of some leaves, as far as it reaches. */
type LeavesBefore = ReadonlyMap<number, LeafBefore | undefined>;

/**
 * Makes the new content out of the parent's map and the changes. Leaves in which nothing changed are not even read.
 * @returns the bytes of the changes
 */
export async function applyChanges<B>(
  content: ChangedContent,
  before: ContentBefore,
  file: ChangedFile<B>,
): Promise<number> {
  const { cut } = before.content;
  if (cut.kind !== 'fixed')
    throw new ChangesMalformedError(
      content.before.path,
      0n,
      0,
      'need a parent that is cut into fixed blocks',
    );
  return await new Changing(content, before, cut.blockSize, file).run();
}

/** The leaves of one file on their way from the parent's map and the changes to the new map. */
class Changing<B> {
  private readonly content: ChangedContent;
  private readonly before: ContentBefore;
  private readonly file: ChangedFile<B>;
  private readonly blockSize: number;
  private readonly leafBytes: number;
  private readonly size: number;
  private readonly oldSize: number;
  /** The leaf that comes next. */
  private next = 0;
  private bytesRead = 0;
  private refs: PageRef[] = [];
  /** What is to be handed on, in the file's order. */
  private readonly line: (() => Promise<void>)[] = [];

  constructor(content: ChangedContent, before: ContentBefore, blockSize: number, file: ChangedFile<B>) {
    this.content = content;
    this.before = before;
    this.file = file;
    this.blockSize = blockSize;
    this.leafBytes = LEAF_BLOCKS * blockSize;
    this.size = Number(content.size);
    this.oldSize = Number(before.content.size);
  }

  async run(): Promise<number> {
    const { content, file, blockSize, leafBytes } = this;
    file.begin(holdingsOf(this.before.content.layout));
    let waiting:
      { readonly leaves: readonly ChangedLeaf[]; readonly known: Promise<LeavesBefore> } | undefined;
    for await (const leaves of changedLeaves(content, blockSize)) {
      const known = this.readBefore(leaves);
      known.catch(() => undefined); // thrown when its turn comes
      if (waiting !== undefined) await this.change(waiting.leaves, await waiting.known);
      waiting = { leaves, known };
    }
    if (waiting !== undefined) await this.change(waiting.leaves, await waiting.known);
    await this.passUnchanged(Math.ceil(this.size / leafBytes));
    this.handOnRefs();
    await this.advance(0);
    for (let leaf = Math.ceil(this.size / leafBytes); leaf * leafBytes < this.oldSize; leaf++)
      this.forget(await leafBefore(this.before.map, leaf));
    return this.bytesRead;
  }

  /** Asks for all of them at once: what lies together in the repository is read together. */
  private async readBefore(leaves: readonly ChangedLeaf[]): Promise<LeavesBefore> {
    const { map } = this.before;
    const there = leaves
      .map(({ number }) => number)
      .filter((number) => number * this.leafBytes < this.oldSize);
    // The page that says where they lie is read once, ahead of them.
    if (there[0] !== undefined) await map.pageRef(0, there[0]);
    return new Map(
      await Promise.all(there.map(async (number) => [number, await leafBefore(map, number)] as const)),
    );
  }

  private async change(leaves: readonly ChangedLeaf[], known: LeavesBefore): Promise<void> {
    for (const { number, blocks } of leaves) {
      await this.passUnchanged(number);
      await this.leaf(number, blocks, known.get(number));
    }
  }

  /** Everything before a leaf, as the parent has it. */
  private async passUnchanged(end: number): Promise<void> {
    const { leafBytes, size, oldSize } = this;
    while (this.next < end) {
      const start = this.next * leafBytes;
      const sameExtent = Math.min(oldSize, start + leafBytes) === Math.min(size, start + leafBytes);
      const ref = sameExtent ? await this.before.map.pageRef(0, this.next) : undefined;
      if (ref === undefined) {
        const known = start < oldSize ? await leafBefore(this.before.map, this.next) : undefined;
        await this.leaf(this.next, NO_CHANGE, known);
        continue;
      }
      this.next++;
      this.refs.push(ref);
      if (this.refs.length >= REFS_AT_ONCE) this.handOnRefs();
      await this.advance(LEAVES_AHEAD);
    }
  }

  /** A leaf that is not as it was. */
  private async leaf(
    number: number,
    changes: ChangedLeaf['blocks'],
    known: LeafBefore | undefined,
  ): Promise<void> {
    const { file, before, blockSize, leafBytes } = this;
    this.next = number + 1;
    this.handOnRefs();
    this.forget(known);
    const start = number * leafBytes;
    const end = Math.min(this.size, start + leafBytes);
    const blocks: (Block | undefined)[] = [];
    const fresh: Uint8Array[] = [];
    for (let at = start; at < end; at += blockSize) {
      const changed = changes.get(blocks.length);
      this.bytesRead += changed?.length ?? 0;
      const length = Math.min(blockSize, end - at);
      const block = changed ?? (await unchangedBlock(before, known?.blocks[blocks.length], at, length));
      if (block instanceof Uint8Array) fresh.push(block);
      blocks.push(block instanceof Uint8Array ? undefined : block);
    }
    const storing = fresh.length === 0 ? Promise.resolve([]) : file.stored(fresh);
    storing.catch(() => undefined); // thrown when its turn comes
    this.line.push(async () => {
      const stored = await storing;
      let next = 0;
      await file.leaf(
        blocks.map((block) => block ?? (stored[next++] as B)),
        known,
      );
    });
    await this.advance(LEAVES_AHEAD);
  }

  private forget(known: LeafBefore | undefined): void {
    known?.blocks.forEach((block) => this.file.without(block));
  }

  private handOnRefs(): void {
    const same = this.refs;
    this.refs = [];
    if (same.length > 0) this.line.push(() => this.file.leavesAsBefore(same));
  }

  private async advance(left: number): Promise<void> {
    while (this.line.length > left) await this.line.shift()?.();
  }
}

/** A block that is not among the changes. One that was cut off at the end of the file may have another size now. */
async function unchangedBlock(
  before: ContentBefore,
  block: Block | undefined,
  at: number,
  length: number,
): Promise<Block | Uint8Array> {
  if (block === undefined || block.zero) return { zero: true, size: length };
  if (block.size === length) return block;
  const bytes = new Uint8Array(length);
  bytes.set(await before.read(at, Math.min(length, block.size)));
  return bytes;
}
