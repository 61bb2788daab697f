import { ChangesMalformedError } from '../error/writer-error.ts';
import type { Block } from '../map/block.ts';
import type { StoredContent } from '../map/content-ref.ts';
import { holdingsOf } from '../map/content-ref.ts';
import type { Holding } from '../map/content-ref.ts';
import type { PageRef } from '../map/index-page.ts';
import { LEAF_BLOCKS } from '../map/leaf-page.ts';
import type { MapReader } from '../map/map-reader.ts';
import type { ChangedContent, ChangedRun } from '../port/backup-writer.ts';
import type { LeafBefore } from './blocks-before.ts';
import { leafBefore } from './blocks-before.ts';

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

/** The changed blocks one by one, each with its number. */
async function* changedBlocks(
  content: ChangedContent,
  blockSize: number,
): AsyncGenerator<{ readonly number: number; readonly bytes: Uint8Array }, void> {
  const size = Number(content.size);
  let least = 0;
  const check = ({ offset, bytes }: ChangedRun) => {
    const at = Number(offset);
    const end = at + bytes.length;
    const refuse = (rule: string): never => {
      throw new ChangesMalformedError(content.before.path, offset, bytes.length, rule);
    };
    if (at % blockSize !== 0) refuse(`must begin at a multiple of ${blockSize}`);
    if (at < least) refuse('must come after the one before it');
    if (end > size) refuse(`must end within the content (${size} bytes)`);
    if (end % blockSize !== 0 && end !== size) refuse(`must be whole blocks of ${blockSize} bytes`);
    least = end;
    return at;
  };
  for await (const run of content.changes) {
    const at = check(run);
    for (let done = 0; done < run.bytes.length; done += blockSize)
      yield { number: (at + done) / blockSize, bytes: run.bytes.subarray(done, done + blockSize) };
  }
}

/**
 * Makes the new content out of the parent's map and the changes. Leaves in which nothing changed are not even read.
 * @returns the bytes of the changes
 */
export async function applyChanges<B>(
  content: ChangedContent,
  before: ContentBefore,
  file: ChangedFile<B>,
): Promise<number> {
  const { cut, layout, size: sizeBefore } = before.content;
  if (cut.kind !== 'fixed')
    throw new ChangesMalformedError(
      content.before.path,
      0n,
      0,
      'need a parent that is cut into fixed blocks',
    );
  const { blockSize } = cut;
  const size = Number(content.size);
  const oldSize = Number(sizeBefore);
  const leafBytes = LEAF_BLOCKS * blockSize;
  file.begin(holdingsOf(layout));

  const changes = changedBlocks(content, blockSize);
  let next = await changes.next();
  let bytesRead = 0;
  let refs: PageRef[] = [];
  /** What is to be handed on, in the file's order. */
  const line: (() => Promise<void>)[] = [];
  const advance = async (left: number) => {
    while (line.length > left) await line.shift()?.();
  };
  const handOnRefs = () => {
    const same = refs;
    refs = [];
    if (same.length > 0) line.push(() => file.leavesAsBefore(same));
  };
  try {
    for (let leaf = 0; leaf * leafBytes < size; leaf++) {
      const start = leaf * leafBytes;
      const end = Math.min(size, start + leafBytes);
      const touched = next.done !== true && next.value.number * blockSize < end;
      const sameExtent = Math.min(oldSize, start + leafBytes) === end;
      const ref = touched || !sameExtent ? undefined : await before.map.pageRef(0, leaf);
      if (ref !== undefined) {
        refs.push(ref);
        if (refs.length >= REFS_AT_ONCE) handOnRefs();
        await advance(LEAVES_AHEAD);
        continue;
      }
      handOnRefs();
      const known = start < oldSize ? await leafBefore(before.map, leaf) : undefined;
      known?.blocks.forEach((block) => file.without(block));
      const blocks: (Block | undefined)[] = [];
      const fresh: Uint8Array[] = [];
      for (let at = start; at < end; at += blockSize) {
        const length = Math.min(blockSize, end - at);
        const changed =
          next.done !== true && next.value.number * blockSize === at ? next.value.bytes : undefined;
        const block = changed
          ? undefined
          : await unchangedBlock(before, known?.blocks[blocks.length], at, length);
        if (changed !== undefined) {
          bytesRead += length;
          fresh.push(Uint8Array.from(changed));
          next = await changes.next();
        } else if (block instanceof Uint8Array) fresh.push(block);
        blocks.push(block instanceof Uint8Array ? undefined : block);
      }
      const storing = fresh.length === 0 ? Promise.resolve([]) : file.stored(fresh);
      storing.catch(() => undefined); // thrown when its turn comes
      line.push(async () => {
        const stored = [...(await storing)];
        await file.leaf(
          blocks.map((block) => block ?? (stored.shift() as B)),
          known,
        );
      });
      await advance(LEAVES_AHEAD);
    }
    handOnRefs();
    await advance(0);
  } finally {
    await changes.return();
  }
  for (let leaf = Math.ceil(size / leafBytes); leaf * leafBytes < oldSize; leaf++)
    (await leafBefore(before.map, leaf))?.blocks.forEach((block) => file.without(block));
  return bytesRead;
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
