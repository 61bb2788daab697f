import type { UnitPlace } from '../container/object-series-writer.ts';
import type { CutMethod } from '../port/entry.ts';
import type { Block } from './block.ts';
import type { ContentLayout } from './content-ref.ts';
import type { PageRef } from './index-page.ts';
import { decodeIndexPage, INDEX_FANOUT } from './index-page.ts';
import { decodeBlocks, decodeStretches } from './leaf-page.ts';
import { stretchesOfBlocks, type Stretch } from './stretch.ts';

/** Reads the page at a place; `decode` runs inside so that what is malformed is reported with the object's name. */
export type ReadPage = <T>(place: UnitPlace, decode: (page: Buffer) => T) => Promise<T>;

/** Leaves that are read ahead of the one being handed out. */
const LEAVES_AHEAD = 16;

export interface Leaf {
  /** Absent when the blocks are kept in the entry. */
  readonly ref?: PageRef;
  readonly blocks: readonly Block[];
  /** Where the first block begins in the file. */
  readonly start: number;
}

type ReadLeaf<T> = (ref: PageRef) => Promise<T>;

interface DecodedLeaf<T> {
  readonly ref: PageRef;
  readonly decoded: T;
  readonly start: number;
}

/** The block map of one file. */
export class MapReader {
  private readonly layout: ContentLayout;
  private readonly cut: CutMethod;
  private readonly readPage: ReadPage;
  /** The page of each level that was used last: going forward reads each page once. */
  private readonly recent: { number: number; refs: readonly PageRef[] }[] = [];

  constructor(layout: ContentLayout, cut: CutMethod, readPage: ReadPage) {
    this.layout = layout;
    this.cut = cut;
    this.readPage = readPage;
  }

  private async indexPage(level: number, number: number): Promise<readonly PageRef[] | undefined> {
    const known = this.recent[level];
    if (known?.number === number) return known.refs;
    const ref = await this.pageRef(level, number);
    if (ref === undefined) return undefined;
    const refs = await this.readPage(ref.place, (page) => decodeIndexPage(page, ref.bytes));
    this.recent[level] = { number, refs };
    return refs;
  }

  /** Page `number` of a level; level 0 are the leaves. `undefined` beyond the end. */
  async pageRef(level: number, number: number): Promise<PageRef | undefined> {
    if (this.layout.kind === 'inline' || level > this.layout.level) return undefined;
    if (level === this.layout.level) return number === 0 ? this.layout.root : undefined;
    const above = await this.indexPage(level + 1, Math.floor(number / INDEX_FANOUT));
    return above?.[number % INDEX_FANOUT];
  }

  /** Entries of an index page, for comparison. */
  async indexRefs(
    level: number,
    number: number,
  ): Promise<{ ref: PageRef; refs: readonly PageRef[] } | undefined> {
    const ref = await this.pageRef(level, number);
    const refs = ref === undefined ? undefined : await this.indexPage(level, number);
    return ref === undefined || refs === undefined ? undefined : { ref, refs };
  }

  private readLeaf(ref: PageRef): Promise<Block[]> {
    return this.readPage(ref.place, (page) => decodeBlocks(page, this.cut, ref.bytes));
  }

  /** Leaf `number` of a map of fixed blocks, which is also its position in the file. */
  async leaf(number: number): Promise<{ ref: PageRef; blocks: readonly Block[] } | undefined> {
    const ref = await this.pageRef(0, number);
    return ref === undefined ? undefined : { ref, blocks: await this.readLeaf(ref) };
  }

  /** All leaves that hold bytes at or after `from`, in the file's order. */
  async *leaves(from = 0): AsyncIterable<Leaf> {
    if (this.layout.kind === 'inline') {
      yield { blocks: this.layout.blocks, start: 0 };
      return;
    }
    const read = (ref: PageRef) => this.readLeaf(ref);
    for await (const { ref, start, decoded } of this.beneath(
      read,
      this.layout.level,
      this.layout.root,
      0,
      from,
    ))
      yield { ref, start, blocks: decoded };
  }

  /** Where all of the content lies, leaf by leaf; cheaper than going through the blocks. */
  async *stretches(): AsyncIterable<readonly Stretch[]> {
    if (this.layout.kind === 'inline') {
      yield stretchesOfBlocks(this.layout.blocks);
      return;
    }
    const read = (ref: PageRef) =>
      this.readPage(ref.place, (page) => decodeStretches(page, this.cut, ref.bytes));
    for await (const { decoded } of this.beneath(read, this.layout.level, this.layout.root, 0, 0))
      yield decoded;
  }

  private async *beneath<T>(
    read: ReadLeaf<T>,
    level: number,
    ref: PageRef,
    start: number,
    from: number,
  ): AsyncIterable<DecodedLeaf<T>> {
    if (start + ref.bytes <= from) return;
    if (level === 0) {
      yield { ref, decoded: await read(ref), start };
      return;
    }
    const refs = await this.readPage(ref.place, (page) => decodeIndexPage(page, ref.bytes));
    let at = start;
    if (level === 1) {
      yield* this.leavesOf(read, refs, start, from);
      return;
    }
    for (const child of refs) {
      yield* this.beneath(read, level - 1, child, at, from);
      at += child.bytes;
    }
  }

  /** The leaves that come next are read meanwhile: they lie close to each other. */
  private async *leavesOf<T>(
    read: ReadLeaf<T>,
    refs: readonly PageRef[],
    start: number,
    from: number,
  ): AsyncIterable<DecodedLeaf<T>> {
    const ahead: { ref: PageRef; start: number; decoded: Promise<T> }[] = [];
    let at = start;
    for (const ref of refs) {
      if (at + ref.bytes > from) {
        const decoded = read(ref);
        decoded.catch(() => undefined); // thrown when its turn comes
        ahead.push({ ref, start: at, decoded });
      }
      at += ref.bytes;
      if (ahead.length > LEAVES_AHEAD) yield* first();
    }
    while (ahead.length > 0) yield* first();

    async function* first(): AsyncIterable<DecodedLeaf<T>> {
      const next = ahead.shift();
      if (next !== undefined) yield { ...next, decoded: await next.decoded };
    }
  }

  /** True when the map has no pages of its own. */
  get isInline(): boolean {
    return this.layout.kind === 'inline';
  }
}
