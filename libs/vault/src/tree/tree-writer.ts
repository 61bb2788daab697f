import type { ObjectSeriesWriter, UnitPlace } from '../container/object-series-writer.ts';
import { compressUnitHere } from '../container/unit-codec.ts';
import type { EncodableEntry } from './entry-codec.ts';
import { beginsIndexPage, EntryPageWriter } from './entry-page.ts';
import type { PagesBefore } from './pages-before.ts';
import type { EntryPageRef } from './tree-index.ts';
import { encodeTreeIndex, pageHash, placeText } from './tree-index.ts';

/** Pages that one index page lists at most. */
const INDEX_PAGES = 1024;

/** Writes the entries of a backup as pages, taking over those of the parent that are the same. */
export class TreeWriter {
  private readonly series: ObjectSeriesWriter;
  private readonly level: number;
  private readonly before: PagesBefore;
  private page = new EntryPageWriter();
  private index: EntryPageRef[] = [];
  private readonly indexPlaces: UnitPlace[] = [];
  /** Every place an index page or a page of entries of this backup lies at. */
  readonly places = new Map<number, Set<number>>();

  constructor(series: ObjectSeriesWriter, compressionLevel: number, before: PagesBefore) {
    this.series = series;
    this.level = compressionLevel;
    this.before = before;
  }

  /** Adds an entry in canonical order; what it returns, if anything, must be waited for before the next one. */
  add(entry: EncodableEntry): Promise<void> | undefined {
    if (!this.page.isFullFor(entry.path)) {
      this.page.add(entry);
      return undefined;
    }
    return this.closePage().then(() => this.page.add(entry));
  }

  private use(place: UnitPlace): UnitPlace {
    const objects = this.places.get(place.volume) ?? new Set();
    this.places.set(place.volume, objects.add(place.object));
    return place;
  }

  private async closePage(): Promise<void> {
    const { first, entries } = this.page;
    if (first === undefined) return;
    const isFull = this.index.length === INDEX_PAGES || beginsIndexPage(first);
    if (this.index.length > 0 && isFull) await this.closeIndex();
    const bytes = this.page.encode();
    const hash = pageHash(bytes);
    const place = (await this.before.entryPage(first, hash)) ?? (await this.write(bytes));
    this.index.push({ first, entries, hash, place: this.use(place) });
    this.page = new EntryPageWriter();
  }

  private async closeIndex(): Promise<void> {
    const [first] = this.index;
    if (first === undefined) return;
    const bytes = encodeTreeIndex(this.index);
    const place = this.before.indexPage(first.first, pageHash(bytes)) ?? (await this.write(bytes));
    this.indexPlaces.push(this.use(place));
    this.index = [];
  }

  private write(page: Buffer): Promise<UnitPlace> {
    return this.series.append(compressUnitHere(page, this.level));
  }

  /** The places of the index pages, for the manifest. */
  async finish(): Promise<string[]> {
    await this.closePage();
    await this.closeIndex();
    return this.indexPlaces.map(placeText);
  }
}
