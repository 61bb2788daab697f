import type { DamagedObjectError } from '../error/damaged-object-error.ts';
import type { Entry, StoredEntry } from './entry.ts';
import type { BackupWarning } from './backup-writer.ts';
import type { LeasedPlan } from '../read/planned/content-plan.ts';
import type { Manifest } from './manifest.ts';

export interface EntrySelection {
  /** Only entries whose path matches one of these globs (`*`, `**`, `?`, `[…]`) or lies beneath a match. */
  readonly globs?: readonly string[];
  /** Only this path and what is beneath it; read without going through the rest. */
  readonly under?: Uint8Array;
  /** Only what is directly in this folder; what lies deeper is passed over, not read through. */
  readonly directlyIn?: Uint8Array;
  /**
   * Called for a page of entries that cannot be read, instead of ending with the error: the entries from `first` up to
   * `next` are left out (both absent: what they are cannot be said).
   */
  readonly onDamaged?: (error: DamagedObjectError, first?: Uint8Array, next?: Uint8Array) => void;
}

/** Entries that follow each other and are stored together. */
export interface EntryPage {
  /** Path of the first entry. */
  readonly first: Uint8Array;
  /** Pages with the same hash hold the same entries with the same content, also those of another backup. */
  readonly hash: Uint8Array;
  /** Reads them. @throws DamagedObjectError */
  entries(): Promise<StoredEntry[]>;
}

/**
 * Says where content lies, so that other threads can read it themselves (see `threads.ts`). What cannot be had as planned
 * is read with `BackupReader.content`, which mends it or says what is wrong.
 */
export interface ContentPlanner {
  /** Whether there are plans for this entry's content. */
  canPlan(entry: StoredEntry): boolean;
  /** Whether it can be planned together with others. */
  isSmall(entry: StoredEntry): boolean;
  /** One plan for all of some small content, with the number of stretches of each; `undefined` when there is none. */
  together(
    entries: readonly StoredEntry[],
  ): Promise<(LeasedPlan & { readonly counts: readonly number[] }) | undefined>;
  /** Plans for content of any size, front to back, each to be released; `undefined` when it cannot be planned on. */
  plans(entry: StoredEntry): AsyncIterable<LeasedPlan | undefined>;
}

/** Reads one backup. Every byte is verified before it is given out. */
export interface BackupReader {
  readonly manifest: Manifest;
  /** Absent when content cannot be read but through the reader. */
  readonly planner?: ContentPlanner;
  /** Entries in canonical order, streamed. */
  entries(selection?: EntrySelection): AsyncIterable<StoredEntry>;
  /** One entry by its path. */
  find(path: Uint8Array): Promise<StoredEntry | undefined>;
  /**
   * The content from front to back; throws at the end when it does not have the SHA-256 that was recorded.
   * A chunk is valid until the next one is asked for.
   */
  content(entry: StoredEntry): AsyncIterable<Uint8Array>;
  /** Part of the content; shorter when the file ends before. Every block is checked against its identity. */
  contentRange(entry: StoredEntry, offset: bigint, length: number): Promise<Uint8Array>;
  warnings(): AsyncIterable<BackupWarning>;
  close(): Promise<void>;
}

/** A reader that also tells what is stored together, so that two backups can be compared without reading all of both. */
export interface PagedBackupReader extends BackupReader {
  /** All entries page by page, in canonical order; the pages themselves are not read by this. */
  entryPages(): AsyncIterable<EntryPage>;
}

/** True for entries that carry content: files that are not further names of a hard-linked one. */
export function hasContent(entry: Entry): boolean {
  return entry.kind === 'file' && entry.hardLink === undefined;
}
