/** A backup seen as less than it is: the part below a folder as a tree of its own, or everything but some folders. */
import type {
  BackupReader,
  BackupWarning,
  ContentPlanner,
  EntrySelection,
  Manifest,
  StoredEntry,
} from '@catena/vault';
import type { SourceTotals } from '../../port/source-driver.ts';
import type { CheckedCluster } from './check-manifest.ts';

const NOTHING: SourceTotals = { files: 0, bytes: 0 };

/** Answers the path of an entry in the view; undefined leaves it out. */
export type PathInView = (path: string) => string | undefined;

export class ReaderView implements BackupReader {
  readonly manifest: Manifest;
  /** Plans go by content, which an entry keeps in the view. */
  readonly planner?: ContentPlanner;
  readonly #reader: BackupReader;
  readonly #pathOf: PathInView;
  /** Entries of the view by what they are in the backup: content is read with those. */
  readonly #origins = new WeakMap<StoredEntry, StoredEntry>();

  /** @param totals what there is in the view */
  constructor(reader: BackupReader, pathOf: PathInView, { files, bytes }: SourceTotals = NOTHING) {
    this.#reader = reader;
    const { statistics } = reader.manifest;
    this.manifest = { ...reader.manifest, statistics: { ...statistics, files, bytes } };
    if (reader.planner !== undefined) this.planner = reader.planner;
    this.#pathOf = pathOf;
  }

  async *entries(selection: EntrySelection = {}): AsyncIterable<StoredEntry> {
    const { onDamaged } = selection;
    for await (const entry of this.#reader.entries(onDamaged === undefined ? {} : { onDamaged })) {
      const seen = this.#seen(entry);
      if (seen !== undefined) yield seen;
    }
  }

  async find(path: Uint8Array): Promise<StoredEntry | undefined> {
    for await (const entry of this.entries()) if (Buffer.compare(entry.path, path) === 0) return entry;
    return undefined;
  }

  content(entry: StoredEntry): AsyncIterable<Uint8Array> {
    return this.#reader.content(this.#originOf(entry));
  }

  contentRange(entry: StoredEntry, offset: bigint, length: number): Promise<Uint8Array> {
    return this.#reader.contentRange(this.#originOf(entry), offset, length);
  }

  warnings(): AsyncIterable<BackupWarning> {
    return this.#reader.warnings();
  }

  /** The backup itself is closed by whoever opened it. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  #originOf(entry: StoredEntry): StoredEntry {
    return this.#origins.get(entry) ?? entry;
  }

  #seen(entry: StoredEntry): StoredEntry | undefined {
    const path = Buffer.from(entry.path).toString('utf8');
    const inView = this.#pathOf(path);
    if (inView === undefined) return undefined;
    const isRoot = process.geteuid?.() === 0;
    if (inView === path && isRoot) return entry;
    const seen: StoredEntry = { ...(isRoot ? entry : ownEntry(entry)), path: Buffer.from(inView) };
    this.#origins.set(seen, entry);
    return seen;
  }
}

/** Who is not root can give files to nobody else, and a server runs as whoever owns its files: as who restores. */
function ownEntry({ user: _user, group: _group, ...entry }: StoredEntry): StoredEntry {
  return { ...entry, uid: process.geteuid?.() ?? entry.uid, gid: process.getegid?.() ?? entry.gid };
}

type Totals = CheckedCluster['totals'];

/** The tree of one tablespace. */
export function tablespaceView(reader: BackupReader, oid: string, totals: Totals): ReaderView {
  const root = `pg_tblspc/${oid}`;
  const pathOf: PathInView = (path) => {
    if (path === root) return '';
    return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : undefined;
  };
  return new ReaderView(reader, pathOf, totals.get(oid));
}

/** The data folder without its tablespaces. */
export function dataFolderView(reader: BackupReader, totals: Totals): ReaderView {
  return new ReaderView(reader, (path) => (/^pg_tblspc\/./.test(path) ? undefined : path), totals.get(''));
}
