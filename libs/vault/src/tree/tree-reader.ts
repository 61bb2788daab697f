import type { UnitReader } from '../container/unit-reader.ts';
import { DamagedObjectError } from '../error/damaged-object-error.ts';
import type { StoredEntry } from '../port/entry.ts';
import { comparePaths } from '../port/path-order.ts';
import { decodeEntryPage } from './entry-page.ts';
import type { EntryPageRef, IndexPage } from './tree-index.ts';
import { decodeTreeIndex, pageHash, parsePlace } from './tree-index.ts';

/** Called for a page that cannot be read; the entries from `first` up to `next` (or the end) are in it. */
export type OnDamagedPage = (error: DamagedObjectError, first?: Uint8Array, next?: Uint8Array) => void;

/** Which entries to read. */
export interface TreeSelection {
  /** Entries from this path on; the pages before it are not read. */
  readonly from?: Uint8Array;
  /** Whether none of the entries from `first` up to `next` is wanted, so that their page need not be read. */
  readonly skip?: (first: Uint8Array, next: Uint8Array) => boolean;
  readonly onDamaged?: OnDamagedPage | undefined;
}

/** Index pages that are kept: what looks up one path after another reads them once. */
const KEPT_INDEX_PAGES = 64;

/** Reads the entries of one backup. */
export class TreeReader {
  private readonly units: UnitReader;
  private readonly index: readonly string[];
  private readonly backup: string;
  private readonly kept = new Map<number, IndexPage>();

  constructor(units: UnitReader, index: readonly string[], backup: string) {
    this.units = units;
    this.index = index;
    this.backup = backup;
  }

  private async indexPage(number: number): Promise<IndexPage | undefined> {
    const text = this.index[number];
    if (text === undefined) return undefined;
    const known = this.kept.get(number);
    if (known !== undefined) return known;
    const place = parsePlace(text);
    const decode = (bytes: Buffer) => ({ place, hash: pageHash(bytes), refs: decodeTreeIndex(bytes) });
    const page = await this.units.page('tree', place, decode);
    for (const oldest of this.kept.keys()) {
      if (this.kept.size < KEPT_INDEX_PAGES) break;
      this.kept.delete(oldest);
    }
    this.kept.set(number, page);
    return page;
  }

  /** The number of the index page on which a path would stand, found by halving. The first one when damage is in the way. */
  private async indexNumberOf(path: Uint8Array): Promise<number> {
    let least = 0;
    let most = this.index.length - 1;
    try {
      while (least < most) {
        const middle = Math.ceil((least + most) / 2);
        const first = (await this.indexPage(middle))?.refs[0]?.first;
        if (first !== undefined && comparePaths(first, path) <= 0) least = middle;
        else most = middle - 1;
      }
    } catch (error) {
      if (!(error instanceof DamagedObjectError)) throw error;
      return 0; // going through all of them names the damage, or shows that it is elsewhere
    }
    return least;
  }

  /**
   * The index pages, in order, from the one on which `from` would stand; with `onDamaged`, what cannot be read is
   * reported and left out.
   */
  async *indexPages(onDamaged?: OnDamagedPage, from?: Uint8Array): AsyncIterable<IndexPage> {
    const begin = from === undefined ? 0 : await this.indexNumberOf(from);
    for (let number = begin; number < this.index.length; number++) {
      try {
        const page = await this.indexPage(number);
        if (page !== undefined) yield page;
      } catch (error) {
        if (onDamaged === undefined || !(error instanceof DamagedObjectError)) throw error;
        onDamaged(error);
      }
    }
  }

  /** The entries of one page. @throws DamagedObjectError */
  read(ref: EntryPageRef): Promise<StoredEntry[]> {
    return this.units.page('tree', ref.place, (page) => decodeEntryPage(page, this.backup));
  }

  /** Pages that hold what is selected, each with the first path of the page after it. */
  private async *pagesOf({
    from,
    skip,
    onDamaged,
  }: TreeSelection): AsyncIterable<{ ref: EntryPageRef; next?: Uint8Array }> {
    let held: EntryPageRef | undefined;
    for await (const { refs } of this.indexPages(onDamaged, from))
      for (const ref of refs) {
        const isBefore = from !== undefined && comparePaths(ref.first, from) <= 0;
        if (held !== undefined && !isBefore && skip?.(held.first, ref.first) !== true)
          yield { ref: held, next: ref.first };
        held = ref;
      }
    if (held !== undefined) yield { ref: held };
  }

  /** Entries in canonical order; of pages that are read, all from `from` on. */
  async *entries(selection: TreeSelection = {}): AsyncIterable<StoredEntry> {
    const { from, onDamaged } = selection;
    let reading: { ref: EntryPageRef; next?: Uint8Array; entries: Promise<StoredEntry[]> } | undefined;
    const finish = async (page: NonNullable<typeof reading>): Promise<StoredEntry[]> => {
      try {
        return await page.entries;
      } catch (error) {
        if (onDamaged === undefined || !(error instanceof DamagedObjectError)) throw error;
        onDamaged(error, page.ref.first, page.next);
        return [];
      }
    };
    const select = (entry: StoredEntry) => from === undefined || comparePaths(entry.path, from) >= 0;
    for await (const page of this.pagesOf(selection)) {
      const entries = this.read(page.ref);
      entries.catch(() => undefined); // thrown when its turn comes
      const ready = reading;
      reading = { ...page, entries };
      if (ready !== undefined) for (const entry of await finish(ready)) if (select(entry)) yield entry;
    }
    if (reading !== undefined) for (const entry of await finish(reading)) if (select(entry)) yield entry;
  }
}
