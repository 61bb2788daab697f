import type { Entry, StoredEntry } from './entry.ts';
import type { Manifest, Position } from './manifest.ts';

/** Bytes of one file, read once from front to back. */
export interface ContentReader {
  /** Expected size in bytes; what is read counts. */
  readonly sizeHint: bigint;
  /**
   * Starts reading. Chunks may be of any size; the writer is done with a chunk before it asks for the next, so a
   * reader may hand out the same buffer again. An error thrown here makes `add` reject with it and leaves the entry
   * out of the backup; the writer stays usable.
   */
  open(): AsyncIterable<Uint8Array>;
  /** All of it, if it is in memory already. It must stay as it is until `add` has settled. */
  readonly whole?: Uint8Array;
  /** A file that the writer may read by itself instead of calling `open`. */
  readonly file?: OpenContent;
}

/** A file of this machine, open in this process until `add` has settled. */
export interface OpenContent {
  readonly descriptor: number;
  /** Bytes to read; fewer if the file has become shorter. */
  readonly size: bigint;
  /** Called when everything has been read. What it returns is read instead: the file has changed meanwhile. */
  readonly done: () => OpenContent | undefined;
  /** Told how many bytes have been read since it was last called, so that a large file shows how far it is. */
  readonly onRead: (bytes: number) => void;
  /** What `add` is to reject with when reading fails with a system error. */
  readonly failed: (error: unknown) => unknown;
}

/** Content that is read from front to back. */
export interface ReadContent {
  readonly read: ContentReader;
  /** The parent's entry of the same file, when there is one: only blocks that differ from it are stored. */
  readonly before?: StoredEntry;
  /** When reading began, in nanoseconds since 1970; by default when the writer calls `open`. */
  readonly readAt?: bigint;
  /** The entry as it was when the content was read, if that may be later than `add`. Its path must be the same. */
  readonly entryAsRead?: () => Entry;
}

/** Whole blocks that changed. */
export interface ChangedRun {
  /** A multiple of the block size. */
  readonly offset: bigint;
  /** A whole number of blocks; only at the end of the content the last one may be shorter. */
  readonly bytes: Uint8Array;
}

/** Content given as what changed since the parent; everything else is taken from there without being read. */
export interface ChangedContent {
  /** The parent's entry, cut into fixed blocks (`content.cut`). */
  readonly before: StoredEntry;
  /** Size of the content now. What lies beyond the parent's end and in no run consists of zeros. */
  readonly size: bigint;
  /** By ascending offset, not overlapping. The writer is done with a run before it asks for the next. */
  readonly changes: AsyncIterable<ChangedRun> | Iterable<ChangedRun>;
  /** When reading began, in nanoseconds since 1970; by default when the writer begins to read the changes. */
  readonly readAt?: bigint;
  /**
   * SHA-256 of all of the content, only when the source computed it over these very bytes. Without it the content has
   * no hash, and reading it checks each block against its identity instead.
   */
  readonly sha256?: Uint8Array;
}

/** Content in the repository that no entry has yet. It belongs to the writer that stored it. */
export interface StoredHandle extends AddResult {
  readonly size: bigint;
  readonly readAt: bigint;
}

/** Where the content of an added file comes from. */
export type AddContent =
  | ReadContent
  | ChangedContent
  /** Content that was stored before its entry was known; each handle may be added once. */
  | { readonly stored: StoredHandle }
  /**
   * Takes over the content of an entry that came out of `previous()`, without reading the source, and when it was read:
   * an entry that is the same in everything is written as the same bytes. Also for entries without content.
   */
  | { readonly asBefore: StoredEntry };

export interface AddResult {
  /** Bytes read from the source; compare with the size that was announced to see a file that changed meanwhile. */
  readonly bytesRead: bigint;
  /** Bytes of blocks that were not in the lineage and are stored by this backup, before compression. */
  readonly bytesNew: bigint;
  /** Absent for entries without content, and for content given as changes without a hash. */
  readonly sha256?: Uint8Array;
}

export interface BackupWarning {
  readonly path: Uint8Array;
  /** Stable code, e.g. `FILE_CHANGED_WHILE_READING`. */
  readonly code: string;
  readonly message: string;
}

/** What the mover knows only when the source has been read. */
export interface BackupSummary {
  /** The source's coordinate at the end of the backup, and at its start if it covers an interval. */
  readonly position?: Position;
  /** The time the backup shows the source at; by default when the backup began. */
  readonly asOf?: Date;
  /** More of what a driver wants to keep in the manifest, in clear; small. */
  readonly driverDetails?: Readonly<Record<string, string | number | boolean>>;
}

/** Names one manifest and proves its content. */
export interface ManifestRef {
  readonly collection: string;
  readonly backupId: string;
  readonly run: string;
  /** Object name in the repository. */
  readonly name: string;
  /** SHA-256 of the manifest object, hex: what the event log records. */
  readonly hash: string;
}

export interface FinishedBackup extends ManifestRef {
  /** True when another attempt of the same run had created the manifest first; then that one is the backup. */
  readonly adopted: boolean;
  readonly manifest: Manifest;
}

/** Counted since the backup began. */
export interface VaultProgress {
  readonly files: number;
  readonly bytesRead: number;
  /** Bytes of files taken over from the parent without reading. */
  readonly bytesUnchanged: number;
  readonly bytesNew: number;
  /** Bytes written to the repository, after compression and sealing. */
  readonly bytesStored: number;
}

/** Writes one backup. Obtained from `Collection.beginBackup`. */
export interface BackupWriter {
  readonly backupId: string;
  /** Entries of the parent (incremental) or base (differential), streamed in canonical order; none for a full. */
  previous(): AsyncIterable<StoredEntry>;
  /** Content of an entry that came out of `previous()`, verified; see `BackupReader.content`. */
  previousContent(entry: StoredEntry): AsyncIterable<Uint8Array>;
  /**
   * Adds one entry. Calls must come in canonical order; they may overlap (call again before the promise settles) so
   * that small files are read ahead, and a rejected call leaves only its own entry out.
   * Resolves when the content has been read, not when it is durable.
   */
  add(entry: Entry, content?: AddContent): Promise<AddResult>;
  /**
   * Stores content whose entry is added later with `{ stored }`, for sources that do not give their files in canonical
   * order. Calls may overlap and come in any order. What no entry takes is left for the sweep.
   *
   * @param file what is known of it; path and size decide how content without `before` is cut
   */
  store(content: ReadContent | ChangedContent, file: Pick<Entry, 'path' | 'size'>): Promise<StoredHandle>;
  warn(warning: BackupWarning): void;
  /** Makes packs durable, then maps, then creates the manifest if it is not there yet. */
  finish(summary?: BackupSummary): Promise<FinishedBackup>;
  /** Stops and frees everything; what is durable stays for a later attempt of the run or for the sweep. */
  abandon(): Promise<void>;
}
