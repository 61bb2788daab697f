import type { UnitReader } from '../container/unit-reader.ts';
import { DamagedObjectError } from '../error/damaged-object-error.ts';
import type { StoredEntry } from '../port/entry.ts';
import { comparePaths } from '../port/path-order.ts';
import { decodeEntryPage } from './entry-page.ts';
import type { EntryPageRef, IndexPage } from './tree-index.ts';
import { decodeTreeIndex, pageHash, parsePlace } from './tree-index.ts';

/** Called for a page that cannot be read; the entries from `first` up to `next` (or the end) are in it. */
export type OnDamagedPage = (error: DamagedObjectError, first?: Uint8Array, next?: Uint8Array) => void;

/** Reads the entries of one backup. */
export class TreeReader {
  private readonly units: UnitReader;
  private readonly index: readonly string[];
  private readonly backup: string;

  constructor(units: UnitReader, index: readonly string[], backup: string) {
    this.units = units;
    this.index = index;
    this.backup = backup;
  }

  /** The index pages, in order; with `onDamaged`, what cannot be read is reported and left out. */
  async *indexPages(onDamaged?: OnDamagedPage): AsyncIterable<IndexPage> {
    for (const text of this.index) {
      const place = parsePlace(text);
      let page: IndexPage;
      try {
        page = await this.units.page('tree', place, (bytes) => ({
          place,
          hash: pageHash(bytes),
          refs: decodeTreeIndex(bytes),
        }));
      } catch (error) {
        if (onDamaged === undefined || !(error instanceof DamagedObjectError)) throw error;
        onDamaged(error);
        continue;
      }
      yield page;
    }
  }

  /** The pages of entries, in order; with `onDamaged`, what cannot be read is reported and left out. */
  async *pages(onDamaged?: OnDamagedPage): AsyncIterable<EntryPageRef> {
    for await (const { refs } of this.indexPages(onDamaged)) yield* refs;
  }

  private read(ref: EntryPageRef): Promise<StoredEntry[]> {
    return this.units.page('tree', ref.place, (page) => decodeEntryPage(page, this.backup));
  }

  /** Pages that hold paths from `from` on, each with the first path of the page after it. */
  private async *pagesFrom(
    from: Uint8Array | undefined,
    onDamaged: OnDamagedPage | undefined,
  ): AsyncIterable<{ ref: EntryPageRef; next?: Uint8Array }> {
    let held: EntryPageRef | undefined;
    for await (const ref of this.pages(onDamaged)) {
      const skip = from !== undefined && comparePaths(ref.first, from) <= 0;
      if (held !== undefined && !skip) yield { ref: held, next: ref.first };
      held = ref;
    }
    if (held !== undefined) yield { ref: held };
  }

  /** Entries in canonical order from the path `from` on. */
  async *entries(from?: Uint8Array, onDamaged?: OnDamagedPage): AsyncIterable<StoredEntry> {
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
    for await (const page of this.pagesFrom(from, onDamaged)) {
      const entries = this.read(page.ref);
      entries.catch(() => undefined); // thrown when its turn comes
      const ready = reading;
      reading = { ...page, entries };
      if (ready !== undefined) for (const entry of await finish(ready)) if (select(entry)) yield entry;
    }
    if (reading !== undefined) for (const entry of await finish(reading)) if (select(entry)) yield entry;
  }
}
