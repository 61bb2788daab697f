import type { Moment } from './moment.ts';
import { encodeCursor } from './cursor.ts';

/** One page of an answer, as every list is answered. */
export interface Page<Item> {
  items: Item[];
  next?: string | undefined;
  sequence: number;
  stale?: string | undefined;
}

/** How many items a page has when nobody says. */
const DEFAULT_LIMIT = 100;

/** One more than the page holds, to know whether another follows. */
export function rowsToRead(limit: number | undefined): number {
  return (limit ?? DEFAULT_LIMIT) + 1;
}

/** Cuts what was read to a page. `keysOf` gives the sort keys of a row, for the next page to go on after. */
export function cutPage<Row>(
  moment: Moment,
  list: string,
  limit: number | undefined,
  rows: readonly Row[],
  keysOf: (row: Row) => readonly (string | number)[],
): { rows: readonly Row[]; next: string | undefined } {
  const shown = rows.slice(0, limit ?? DEFAULT_LIMIT);
  const last = shown.at(-1);
  const more = rows.length > shown.length && last !== undefined;
  return {
    rows: shown,
    next: more ? encodeCursor(list, { sequence: moment.sequence, keys: keysOf(last) }) : undefined,
  };
}

export function pageOfItems<Item>(moment: Moment, items: Item[], next: string | undefined): Page<Item> {
  return { items, ...(next === undefined ? {} : { next }), sequence: moment.sequence };
}
