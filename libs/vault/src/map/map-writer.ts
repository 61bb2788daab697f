import { samePlace } from './leaf-page.ts';
import type { PageRef } from './index-page.ts';
import { encodeIndexPage, INDEX_FANOUT } from './index-page.ts';
import type { MapReader } from './map-reader.ts';
import type { UnitPlace } from '../container/object-series-writer.ts';

export type AppendPage = (page: Buffer) => Promise<UnitPlace>;

function sameRefs(a: readonly PageRef[], b: readonly PageRef[]): boolean {
  return (
    a.length === b.length &&
    a.every((ref, i) => {
      const other = b[i];
      return ref.bytes === other?.bytes && samePlace(ref.place, other.place);
    })
  );
}

/** Builds the index pages over the leaves of one file's map, using those of the previous map that are the same. */
export class MapWriter {
  private readonly append: AppendPage;
  private readonly before: MapReader | undefined;
  private readonly onPage: (ref: PageRef) => void;
  private readonly levels: { open: PageRef[]; done: number }[] = [];

  constructor(append: AppendPage, before: MapReader | undefined, onPage: (ref: PageRef) => void) {
    this.append = append;
    this.before = before;
    this.onPage = onPage;
  }

  /** Adds the next page of a level; leaves are level 0. */
  async add(ref: PageRef, level = 0): Promise<void> {
    this.onPage(ref);
    const above = this.above(level);
    above.open.push(ref);
    if (above.open.length === INDEX_FANOUT) await this.close(level);
  }

  /** The index page being filled with the pages of a level. */
  private above(level: number): { open: PageRef[]; done: number } {
    return (this.levels[level] ??= { open: [], done: 0 });
  }

  private async close(level: number): Promise<void> {
    const above = this.above(level);
    const refs = above.open;
    const known = await this.before?.indexRefs(level + 1, above.done);
    above.open = [];
    above.done++;
    if (known !== undefined && sameRefs(known.refs, refs)) return this.add(known.ref, level + 1);
    const place = await this.append(encodeIndexPage(refs));
    return this.add({ place, bytes: refs.reduce((sum, ref) => sum + ref.bytes, 0) }, level + 1);
  }

  /** The root, after the last leaf. */
  async finish(): Promise<{ level: number; root: PageRef }> {
    for (let level = 0; ; level++) {
      const { open, done } = this.above(level);
      const [root] = open;
      if (root !== undefined && done === 0 && open.length === 1) return { level, root };
      if (open.length > 0) await this.close(level);
    }
  }
}
