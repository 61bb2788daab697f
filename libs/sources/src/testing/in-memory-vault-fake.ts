/**
 * A vault in memory behind the real one's interfaces, for tests of drivers: it keeps content as it is, is strict
 * about what the port demands (canonical order, one entry a path, content where it belongs), and can be told to fail.
 */
import {
  comparePaths,
  hasContent,
  type AddContent,
  type AddResult,
  type BackupReader,
  type BackupSummary,
  type BackupWarning,
  type BackupWriter,
  type ChangedContent,
  type ContentRef,
  type Entry,
  type EntrySelection,
  type FinishedBackup,
  type Manifest,
  type ReadContent,
  type StoredEntry,
  type StoredHandle,
} from '@catena/vault';
import { createHash } from 'node:crypto';
import { Selection } from '../files/patterns/selection.ts';
import { byteStringOf } from '../system-calls/index.ts';

interface FakeBackup {
  readonly entries: StoredEntry[];
  readonly contents: Map<string, Buffer>;
  readonly warnings: BackupWarning[];
  readonly summary: BackupSummary;
}

/** What a test may look at and interfere with in a fake writer. */
export interface FakeWriter extends BackupWriter {
  readonly warnings: readonly BackupWarning[];
  /** Paths (as text) whose content was read from the source, in order. */
  readonly read: readonly string[];
  /** Bytes of blocks that differ from the same block of the parent's entry that came with them. */
  readonly bytesNew: bigint;
  /** Called with each chunk that arrives; what it throws, `add` rejects with. */
  onChunk: ((path: string, chunk: Uint8Array) => void) | undefined;
  /** Called when an entry is added. */
  onAdd: ((path: string) => void) | undefined;
}

/** What a test may interfere with in a fake reader. */
export interface FakeReader extends BackupReader {
  /** Called with each chunk before it is handed out; may throw, or answer other bytes. */
  onChunk: ((path: string, chunk: Buffer) => Buffer) | undefined;
  /** Paths (as text) whose content was asked for, in order. */
  readonly read: readonly string[];
}

export class InMemoryVaultFake {
  readonly #backups = new Map<string, FakeBackup>();
  #next = 1;

  /** Begins a backup; with a parent its entries are the previous ones. */
  begin(parent?: string): FakeWriter {
    const id = `backup-${this.#next++}`;
    const before = parent === undefined ? undefined : this.#backup(parent);
    return new Writer(id, before, (backup) => this.#backups.set(id, backup));
  }

  open(id: string, chunkSize = 64 * 1024): FakeReader {
    const backup = this.#backup(id);
    return new Reader(backup, manifestOf(id, backup.summary, backup.entries), chunkSize);
  }

  #backup(id: string): FakeBackup {
    const backup = this.#backups.get(id);
    if (!backup) throw new Error(`There is no backup '${id}' in the fake.`);
    return backup;
  }
}

const blockSize = 8192;

const textOf = (path: Uint8Array) => Buffer.from(path).toString('utf8');

class Writer implements FakeWriter {
  readonly backupId: string;
  readonly warnings: BackupWarning[] = [];
  readonly read: string[] = [];
  bytesNew = 0n;
  onChunk: ((path: string, chunk: Uint8Array) => void) | undefined;
  onAdd: ((path: string) => void) | undefined;
  readonly #before: FakeBackup | undefined;
  readonly #keep: (backup: FakeBackup) => void;
  readonly #entries = new Map<string, StoredEntry>();
  readonly #contents = new Map<string, Buffer>();
  readonly #stored = new Map<StoredHandle, ContentRef>();
  readonly #underway = new Set<Promise<AddResult>>();
  #last: Uint8Array | undefined;

  constructor(id: string, before: FakeBackup | undefined, keep: (backup: FakeBackup) => void) {
    this.backupId = id;
    this.#before = before;
    this.#keep = keep;
  }

  async *previous(): AsyncIterable<StoredEntry> {
    for (const entry of this.#before?.entries ?? []) {
      await Promise.resolve();
      yield entry;
    }
  }

  async *previousContent(entry: StoredEntry): AsyncIterable<Uint8Array> {
    await Promise.resolve();
    yield this.#before!.contents.get(contentKey(entry.content!))!;
  }

  add(entry: Entry, content?: AddContent): Promise<AddResult> {
    // Checked at the call, so that a wrong order shows even when the calls overlap.
    if (this.#last !== undefined && comparePaths(this.#last, entry.path) >= 0) {
      throw new Error(`'${textOf(entry.path)}' does not come after '${textOf(this.#last)}'.`);
    }
    const takenOver = content !== undefined && 'asBefore' in content;
    if (hasContent(entry) ? content === undefined : content !== undefined && !takenOver) {
      throw new Error(`'${textOf(entry.path)}' has content exactly when it is the first name of a file.`);
    }
    this.#last = entry.path;
    this.onAdd?.(textOf(entry.path));
    const adding = this.#store(entry, content);
    this.#underway.add(adding);
    const done = () => this.#underway.delete(adding);
    adding.then(done, done);
    return adding;
  }

  warn(warning: BackupWarning): void {
    this.warnings.push(warning);
  }

  async finish(summary: BackupSummary = {}): Promise<FinishedBackup> {
    if (this.#underway.size > 0) throw new Error('Adds are still under way.');
    const entries = [...this.#entries.values()].sort((a, b) => comparePaths(a.path, b.path));
    const paths = new Set(entries.map((entry) => textKey(entry.path)));
    for (const { path, hardLink } of entries) {
      if (hardLink && !paths.has(textKey(hardLink))) {
        throw new Error(`'${textOf(path)}' is a link to what is not in the backup.`);
      }
    }
    this.#keep({ entries, contents: this.#contents, warnings: this.warnings, summary });
    await Promise.resolve();
    return {
      collection: 'fake',
      backupId: this.backupId,
      run: 'run',
      name: this.backupId,
      hash: '',
      adopted: false,
      manifest: manifestOf(this.backupId),
    };
  }

  async abandon(): Promise<void> {
    this.#entries.clear();
    await Promise.resolve();
  }

  async #store(entry: Entry, content: AddContent | undefined): Promise<AddResult> {
    const wall = BigInt(Date.now()) * 1_000_000n;
    if (content === undefined) {
      this.#entries.set(textKey(entry.path), { ...entry, readAt: wall });
      return { bytesRead: 0n, bytesNew: 0n };
    }
    if ('asBefore' in content && !hasContent(entry)) {
      this.#entries.set(textKey(entry.path), { ...entry, readAt: content.asBefore.readAt });
      return { bytesRead: 0n, bytesNew: 0n };
    }
    if ('asBefore' in content) {
      const ref = content.asBefore.content!;
      const key = contentKey(ref);
      this.#contents.set(key, this.#before!.contents.get(key)!);
      this.#entries.set(textKey(entry.path), { ...entry, readAt: content.asBefore.readAt, content: ref });
      return { bytesRead: 0n, bytesNew: 0n, ...(ref.sha256 && { sha256: ref.sha256 }) };
    }
    const handle = 'stored' in content ? content.stored : await this.store(content, entry);
    const ref = this.#stored.get(handle);
    if (!ref) throw new Error('The handle is not of this writer.');
    this.#entries.set(textKey(entry.path), { ...entry, size: ref.size, readAt: handle.readAt, content: ref });
    return handle;
  }

  async store(content: ReadContent | ChangedContent, file: Pick<Entry, 'path'>): Promise<StoredHandle> {
    if ('changes' in content) throw new Error('The fake takes no changes; use a real vault.');
    const readAt = content.readAt ?? BigInt(Date.now()) * 1_000_000n;
    const chunks: Buffer[] = [];
    this.read.push(textOf(file.path));
    for await (const chunk of content.read.open()) {
      this.onChunk?.(textOf(file.path), chunk);
      chunks.push(Buffer.from(chunk));
    }
    const whole = Buffer.concat(chunks);
    const sha256 = createHash('sha256').update(whole).digest();
    this.#contents.set(sha256.toString('hex'), whole);
    const ref: ContentRef = {
      size: BigInt(whole.length),
      sha256,
      cut: { kind: 'fixed', blockSize },
      encoded: sha256,
    };
    const { before } = content;
    const old = before?.content && this.#before?.contents.get(contentKey(before.content));
    const bytesNew = BigInt(differingBytes(whole, old ?? Buffer.alloc(0)));
    this.bytesNew += bytesNew;
    const handle = { size: ref.size, readAt, bytesRead: ref.size, bytesNew, sha256 };
    this.#stored.set(handle, ref);
    return handle;
  }
}

class Reader implements FakeReader {
  readonly manifest: Manifest;
  readonly read: string[] = [];
  onChunk: ((path: string, chunk: Buffer) => Buffer) | undefined;
  readonly #backup: FakeBackup;
  readonly #chunkSize: number;

  constructor(backup: FakeBackup, manifest: Manifest, chunkSize: number) {
    this.#backup = backup;
    this.manifest = manifest;
    this.#chunkSize = chunkSize;
  }

  async *entries(selection: EntrySelection = {}): AsyncIterable<StoredEntry> {
    const globs = new Selection({ include: selection.globs?.map((glob) => `/${glob}`) });
    const taken = new Set<string>();
    const under = selection.under && byteStringOf(selection.under);
    for (const entry of this.#backup.entries) {
      await Promise.resolve();
      const path = byteStringOf(entry.path);
      const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
      const isFolder = entry.kind === 'folder';
      if (globs.isNarrowed && globs.choose(path, isFolder, taken.has(parent)) !== 'take') continue;
      taken.add(path);
      if (under === undefined || path === under || path.startsWith(`${under}/`)) yield entry;
    }
  }

  async find(path: Uint8Array): Promise<StoredEntry | undefined> {
    await Promise.resolve();
    return this.#backup.entries.find((entry) => comparePaths(entry.path, path) === 0);
  }

  async *content(entry: StoredEntry): AsyncIterable<Uint8Array> {
    const whole = this.#contentOf(entry);
    this.read.push(textOf(entry.path));
    const hash = createHash('sha256');
    // One buffer again and again: a chunk is only valid until the next is asked for.
    const buffer = Buffer.alloc(this.#chunkSize);
    for (let at = 0; at < whole.length; at += this.#chunkSize) {
      await Promise.resolve();
      const length = whole.copy(buffer, 0, at, at + this.#chunkSize);
      const chunk = buffer.subarray(0, length);
      const given = this.onChunk?.(textOf(entry.path), chunk) ?? chunk;
      hash.update(given);
      yield given;
    }
    if (!hash.digest().equals(entry.content!.sha256!)) {
      throw new Error(`The content of '${textOf(entry.path)}' is damaged.`);
    }
  }

  async contentRange(entry: StoredEntry, offset: bigint, length: number): Promise<Uint8Array> {
    await Promise.resolve();
    return this.#contentOf(entry).subarray(Number(offset), Number(offset) + length);
  }

  async *warnings(): AsyncIterable<BackupWarning> {
    await Promise.resolve();
    yield* this.#backup.warnings;
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }

  #contentOf(entry: StoredEntry): Buffer {
    return this.#backup.contents.get(contentKey(entry.content!))!;
  }
}

/** Bytes of the blocks that are not as in another content at the same place. */
function differingBytes(content: Buffer, other: Buffer): number {
  let bytes = 0;
  for (let at = 0; at < content.length; at += blockSize) {
    const block = content.subarray(at, at + blockSize);
    if (!block.equals(other.subarray(at, at + blockSize))) bytes += block.length;
  }
  return bytes;
}

/** The fake always knows the hash. */
function contentKey(ref: ContentRef): string {
  return Buffer.from(ref.sha256!).toString('hex');
}

function textKey(path: Uint8Array): string {
  return Buffer.from(path).toString('latin1');
}

function manifestOf(
  id: string,
  { driverDetails }: BackupSummary = {},
  entries: readonly StoredEntry[] = [],
): Manifest {
  const bytes = entries.reduce((sum, { content }) => sum + Number(content?.size ?? 0n), 0);
  const instant = '2026-01-01T00:00:00.000Z';
  return {
    format: 'catena-manifest',
    version: 1,
    features: [],
    repository: 'fake',
    collection: 'fake',
    backup: id,
    type: 'full',
    copyOnly: false,
    chain: id,
    run: 'run',
    attempt: 1,
    folder: id,
    source: { name: 'fake', uid: 'fake', family: 'fake', driver: 'fake' },
    asOf: instant,
    startedAt: instant,
    endedAt: instant,
    statistics: {
      entries: entries.length,
      files: 0,
      bytes,
      bytesRead: 0,
      bytesNew: 0,
      bytesStored: 0,
      bytesOfMaps: 0,
    },
    warnings: 0,
    backups: [id],
    volumes: [],
    keys: [],
    tree: { index: [], warnings: [] },
    ...(driverDetails === undefined ? {} : { driverDetails }),
  };
}
