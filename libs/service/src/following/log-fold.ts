import type { AnyRecordedEvent, EventType } from '@catena/events';

/** Something that is folded from the log's events in their order, kept in memory, and captured in a snapshot. */
export interface LogFold {
  /** Unique among those that are followed together. */
  readonly name: string;
  /** To be raised whenever the form of its pages changes, or what it makes of events: older snapshots are left alone. */
  readonly version: number;
  readonly types: readonly EventType[];
  /** Takes in an event of one of its types. */
  apply(event: AnyRecordedEvent): void;
  /** All of it as it stands now, in pages of plain JSON; what is applied while they are written does not change them. */
  capture(): Iterable<unknown>;
  /** Takes in a page of what was captured; all pages in order, into what is empty, make it as it was. */
  restore(page: unknown): void;
  /** Forgets everything: what was restored was not whole. */
  clear(): void;
  /** Called when the log was read up to where it ended at the start, and after each batch from then on. */
  caughtUp?(signal: AbortSignal): void;
}

/** A message of the snapshots holds a page, and pages of this size stay far below the least that servers take. */
const ENTRIES = 1_000;

/** Cuts what is to be captured into pages; reads `all` at once, so that it is what it was. */
export function pagesOf<T>(all: Iterable<T>): (readonly T[])[] {
  const entries = [...all];
  return Array.from({ length: Math.ceil(entries.length / ENTRIES) }, (_, page) =>
    entries.slice(page * ENTRIES, (page + 1) * ENTRIES),
  );
}
