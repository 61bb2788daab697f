import type { PagedFold } from '@catena/event-log';
import type { CapturedCollections, CapturedRuns } from '@catena/schedule';
import type { ScheduleHistory } from './book.ts';
import type { CapturedDefinition } from './definition-shelf.ts';
import type { CapturedSchedule } from './schedule-shelf.ts';

/** A part of a captured book. Definitions come before the schedules that they are of. Plain JSON. */
export interface BookPage {
  readonly definitions?: readonly CapturedDefinition[];
  readonly schedules?: readonly CapturedSchedule[];
  /** By uid of the schedule. */
  readonly histories?: readonly (readonly [uid: string, history: ScheduleHistory])[];
  readonly runs?: CapturedRuns;
  readonly collections?: CapturedCollections;
}

/**
 * How the pages are kept. The version is to be raised whenever their shape, or what the book makes of events, changes:
 * a test holds it against a recorded book.
 */
export const bookFold: PagedFold = {
  aggregate: { type: 'schedule', id: 'book' },
  fold: 'schedule-book',
  version: 1,
};

/** A message of the snapshots holds a page, and pages of this size stay far below the least that servers take. */
const ENTRIES = 1_000;

/** A book as it was at one moment. */
export interface CapturedBook {
  readonly definitions: Iterable<CapturedDefinition>;
  readonly schedules: Iterable<CapturedSchedule>;
  readonly histories: Iterable<readonly [uid: string, history: ScheduleHistory]>;
  readonly runs: CapturedRuns;
  readonly collections: CapturedCollections;
}

/** The pages of a captured book, each made when it is asked for. */
export function* pagesOf(book: CapturedBook): Iterable<BookPage> {
  const { definitions, schedules, histories, runs, collections } = book;
  for (const part of partsOf(definitions)) yield { definitions: part };
  for (const part of partsOf(schedules)) yield { schedules: part };
  for (const part of partsOf(histories)) yield { histories: part };
  for (const open of partsOf(runs.open)) yield { runs: { open, outcomes: [] } };
  for (const outcomes of partsOf(runs.outcomes)) yield { runs: { open: [], outcomes } };
  const none = { fulls: [], pending: [], failed: [] };
  for (const fulls of partsOf(collections.fulls)) yield { collections: { ...none, fulls } };
  for (const pending of partsOf(collections.pending)) yield { collections: { ...none, pending } };
  for (const failed of partsOf(collections.failed)) yield { collections: { ...none, failed } };
}

function* partsOf<T>(all: Iterable<T>): Iterable<readonly T[]> {
  let part: T[] = [];
  for (const one of all) {
    part.push(one);
    if (part.length < ENTRIES) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}
