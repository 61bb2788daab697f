import type { UnitPlace } from '../container/object-series-writer.ts';
import { comparePaths } from '../port/path-order.ts';
import type { EntryPageRef } from './tree-index.ts';
import type { TreeReader } from './tree-reader.ts';

interface KnownIndexPage {
  readonly hash: Uint8Array;
  readonly place: UnitPlace;
}

const keyOf = (path: Uint8Array) => Buffer.from(path).toString('latin1');

/**
 * The pages of the parent beside those that are being written: both are in the order of their first paths, so that one
 * step forward at a time is enough, and nothing but index pages is remembered.
 */
export class PagesBefore {
  private readonly pages: AsyncIterator<EntryPageRef> | undefined;
  private readonly indexPages = new Map<string, KnownIndexPage>();
  private current: EntryPageRef | undefined;
  private begun = false;

  /** @param tree entries of the parent; absent for a full */
  constructor(tree: TreeReader | undefined) {
    this.pages = tree === undefined ? undefined : this.pagesOf(tree)[Symbol.asyncIterator]();
  }

  private async *pagesOf(tree: TreeReader): AsyncIterable<EntryPageRef> {
    for await (const { refs, hash, place } of tree.indexPages()) {
      const [first] = refs;
      if (first !== undefined) this.indexPages.set(keyOf(first.first), { hash, place });
      yield* refs;
    }
  }

  private async step(): Promise<void> {
    this.begun = true;
    const next = await this.pages?.next();
    this.current = next === undefined || next.done === true ? undefined : next.value;
  }

  /** The parent's page of entries that begins at the path, if it has this hash. Paths must come in order. */
  async entryPage(first: Uint8Array, hash: Uint8Array): Promise<UnitPlace | undefined> {
    if (!this.begun) await this.step();
    while (this.current !== undefined && comparePaths(this.current.first, first) < 0) await this.step();
    const { current } = this;
    if (current === undefined || comparePaths(current.first, first) !== 0) return undefined;
    return Buffer.compare(current.hash, hash) === 0 ? current.place : undefined;
  }

  /** The parent's index page whose first page begins at the path, if it has this hash. */
  indexPage(first: Uint8Array, hash: Uint8Array): UnitPlace | undefined {
    const known = this.indexPages.get(keyOf(first));
    return known !== undefined && Buffer.compare(known.hash, hash) === 0 ? known.place : undefined;
  }
}
