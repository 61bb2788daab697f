import { createHash } from 'node:crypto';
import type { ObjectSeriesWriter, UnitPlace } from '../container/object-series-writer.ts';
import { compressUnit } from '../container/unit-codec.ts';
import { idKey } from '../write/known-blocks.ts';
import type { EncodableEntry } from './entry-codec.ts';
import { EntryPageWriter } from './entry-page.ts';
import type { EntryPageRef } from './tree-index.ts';
import { encodeTreeIndex, PAGE_HASH_BYTES, placeText } from './tree-index.ts';

/** Pages that one index page lists. */
const INDEX_PAGES = 1024;

/** Writes the entries of a backup as pages, taking over those of the parent that are the same. */
export class TreeWriter {
  private readonly series: ObjectSeriesWriter;
  private readonly level: number;
  private readonly before: ReadonlyMap<string, UnitPlace>;
  private page = new EntryPageWriter();
  private index: EntryPageRef[] = [];
  private readonly indexPlaces: UnitPlace[] = [];
  /** Every place an index page or a page of entries of this backup lies at. */
  readonly places = new Map<number, Set<number>>();

  /** @param before pages of the parent by their hash */
  constructor(series: ObjectSeriesWriter, compressionLevel: number, before: ReadonlyMap<string, UnitPlace>) {
    this.series = series;
    this.level = compressionLevel;
    this.before = before;
  }

  async add(entry: EncodableEntry): Promise<void> {
    if (this.page.isFullFor(entry.path)) await this.closePage();
    this.page.add(entry);
  }

  private use(place: UnitPlace): UnitPlace {
    const objects = this.places.get(place.volume) ?? new Set();
    this.places.set(place.volume, objects.add(place.object));
    return place;
  }

  private async closePage(): Promise<void> {
    const { first, entries } = this.page;
    if (first === undefined) return;
    const bytes = this.page.encode();
    const hash = createHash('sha256').update(bytes).digest().subarray(0, PAGE_HASH_BYTES);
    const known = this.before.get(idKey(hash));
    const place = known ?? (await this.series.append(await compressUnit(bytes, this.level)));
    this.index.push({ first, entries, hash, place: this.use(place) });
    this.page = new EntryPageWriter();
    if (this.index.length === INDEX_PAGES) await this.closeIndex();
  }

  private async closeIndex(): Promise<void> {
    if (this.index.length === 0) return;
    const place = await this.series.append(await compressUnit(encodeTreeIndex(this.index), this.level));
    this.indexPlaces.push(this.use(place));
    this.index = [];
  }

  /** The places of the index pages, for the manifest. */
  async finish(): Promise<string[]> {
    await this.closePage();
    await this.closeIndex();
    return this.indexPlaces.map(placeText);
  }
}
