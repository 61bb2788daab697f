import { CatenaError } from '@catena/events';
import { readableBytes } from '../codec/readable-bytes.ts';
import { compressUnit, rawUnit } from '../container/unit-codec.ts';
import { crashPoint } from '../crash-point.ts';
import { chooseCut } from '../cut/choose-cut.ts';
import { EntryOrderError, ForeignContentError } from '../error/writer-error.ts';
import { holdingsOf, StoredContent } from '../map/content-ref.ts';
import { CONTENT_WITHOUT_HASH } from '../manifest/sealed-document.ts';
import { hasContent } from '../port/backup-reader.ts';
import type {
  AddContent,
  AddResult,
  BackupSummary,
  BackupWarning,
  BackupWriter,
  ChangedContent,
  FinishedBackup,
  ReadContent,
  StoredHandle,
} from '../port/backup-writer.ts';
import type { Entry, StoredEntry } from '../port/entry.ts';
import { comparePaths } from '../port/path-order.ts';
import type { PagesBefore } from '../tree/pages-before.ts';
import { placeText } from '../tree/tree-index.ts';
import { TreeWriter } from '../tree/tree-writer.ts';
import { encodeWarnings } from '../tree/warning-page.ts';
import { BackupCounts } from './backup-counts.ts';
import { ClosureUsage } from './closure-usage.ts';
import { ContentStorer } from './content-storer.ts';
import { EntryLine } from './entry-line.ts';
import type { StoredResult } from './file-in-progress.ts';
import type { WriterParts } from './writer-parts.ts';

/** Warnings per page. */
const WARNINGS_PER_PAGE = 1000;
export const DEFAULT_UNIT_BYTES = 128 * 1024;

function resultOf({ size, sha256, bytesNew, bytesRead }: StoredResult): AddResult {
  return {
    bytesRead: BigInt(bytesRead ?? size),
    bytesNew: BigInt(bytesNew),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

/** Writes one backup; see `BackupWriter` for what callers may rely on. */
export class VaultBackupWriter implements BackupWriter {
  readonly backupId: string;
  private readonly parts: WriterParts;
  private readonly storer: ContentStorer;
  private readonly usage = new ClosureUsage();
  private readonly tree: TreeWriter;
  private readonly counts: BackupCounts;
  private readonly line: EntryLine;
  private readonly warnings: BackupWarning[] = [];
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly handles = new Map<StoredHandle, StoredResult>();
  private lastPath: Uint8Array | undefined;
  private state: 'open' | 'finished' | 'abandoned' = 'open';

  constructor(parts: WriterParts, pagesBefore: PagesBefore) {
    this.parts = parts;
    this.backupId = parts.plan.backupId;
    const { options, packs, maps, stations, places, gear, leftovers, memory, bufferBytes } = parts;
    const bytesStored = (): number => packs.bytesWritten + maps.bytesWritten + parts.tree.bytesWritten;
    this.counts = new BackupCounts(options.onProgress, bytesStored);
    this.tree = new TreeWriter(parts.tree, options.compressionLevel ?? 1, pagesBefore);
    this.storer = new ContentStorer({
      ...{ stations, places, gear, leftovers, memory, bufferBytes },
      appendPage: (page) => maps.append(rawUnit(page)),
      signal: options.signal,
      readRate: options.limits?.read,
      onBytes: (read, stored) => this.counts.content(read, stored),
    });
    const { usage, tree, counts, storer } = this;
    this.line = new EntryLine({ usage, tree, counts, storer });
  }

  async *previous(): AsyncIterable<StoredEntry> {
    if (this.parts.parent !== undefined) yield* this.parts.parent.entries();
  }

  previousContent(entry: StoredEntry): AsyncIterable<Uint8Array> {
    if (this.parts.parent === undefined) throw new ForeignContentError(readableBytes(entry.path));
    return this.parts.parent.content(entry);
  }

  async add(entry: Entry, content?: AddContent): Promise<AddResult> {
    this.checkOpen();
    if (this.lastPath !== undefined && comparePaths(this.lastPath, entry.path) >= 0)
      throw new EntryOrderError(readableBytes(entry.path), readableBytes(this.lastPath));
    this.lastPath = entry.path;
    return this.addInOrder(entry, content);
  }

  private addInOrder(entry: Entry, content: AddContent | undefined): Promise<AddResult> {
    if (content === undefined) return this.whenThereIsRoom(this.addBare(entry));
    if ('asBefore' in content) return this.whenThereIsRoom(this.addUnchanged(entry, content.asBefore));
    if ('stored' in content) {
      const stored = this.handles.get(content.stored);
      if (stored === undefined) throw new ForeignContentError(readableBytes(entry.path));
      this.handles.delete(content.stored);
      this.line.pushStoring(() => entry, content.stored.readAt, Promise.resolve(stored));
      return this.whenThereIsRoom(content.stored);
    }
    const readAt = content.readAt ?? this.nowInNanoseconds();
    return this.addAtOnce(entry, content, readAt) ?? this.addRead(entry, content, readAt);
  }

  private whenThereIsRoom(result: AddResult): Promise<AddResult> {
    const place = this.line.newest;
    return this.hasRoom(place) ? Promise.resolve(result) : this.room(place).then(() => result);
  }

  /** Content that is small, in memory and new, as that of most files of a first backup. */
  private addAtOnce(
    entry: Entry,
    content: ReadContent | ChangedContent,
    readAt: bigint,
  ): Promise<AddResult> | undefined {
    if ('changes' in content || content.before !== undefined) return undefined;
    const { whole } = content.read;
    if (whole === undefined || !this.hasRoom(this.line.newest)) return undefined;
    const file = this.storer.storeAtOnce(whole, (this.parts.options.cut ?? chooseCut)(entry));
    if (file === undefined) return undefined;
    this.line.pushSmall(entry, readAt, file);
    return file.done.promise;
  }

  private async addRead(
    entry: Entry,
    content: ReadContent | ChangedContent,
    readAt: bigint,
  ): Promise<AddResult> {
    const { promise, resolve, reject } = Promise.withResolvers<StoredResult>();
    // The entry's place is taken now, whatever is read first.
    const entryOf = ('read' in content ? content.entryAsRead : undefined) ?? (() => entry);
    this.line.pushStoring(entryOf, readAt, promise);
    const place = this.line.newest;
    try {
      await this.room(place);
      const stored = await this.follow(this.storeContent(content, entry));
      resolve(stored);
      return resultOf(stored);
    } catch (error) {
      reject(error);
      throw error;
    }
  }

  /** `finish` waits for it. */
  private async follow<T>(work: Promise<T>): Promise<T> {
    this.underWay.add(work);
    try {
      return await work;
    } finally {
      this.underWay.delete(work);
    }
  }

  async store(
    content: ReadContent | ChangedContent,
    file: Pick<Entry, 'path' | 'size'>,
  ): Promise<StoredHandle> {
    this.checkOpen();
    const readAt = content.readAt ?? this.nowInNanoseconds();
    const stored = await this.follow(this.storeContent(content, file));
    const handle = { ...resultOf(stored), size: BigInt(stored.size), readAt };
    this.handles.set(handle, stored);
    return handle;
  }

  private async storeContent(
    content: ReadContent | ChangedContent,
    file: Pick<Entry, 'path' | 'size'>,
  ): Promise<StoredResult> {
    const before = content.before === undefined ? undefined : this.ownContent(content.before);
    const map = content.before && this.parts.parent?.map(content.before);
    if ('changes' in content) {
      if (before === undefined || map === undefined) throw new ForeignContentError(readableBytes(file.path));
      const { parent } = this.parts;
      const read = (offset: number, length: number) =>
        parent?.contentRange(content.before, BigInt(offset), length) ?? Promise.resolve(new Uint8Array());
      return this.storer.storeChanges(content, { content: before, map, read });
    }
    const cut = before?.cut ?? (this.parts.options.cut ?? chooseCut)(file);
    return this.storer.store(content.read, cut, map);
  }

  private nowInNanoseconds(): bigint {
    return BigInt(this.parts.now().getTime()) * 1_000_000n;
  }

  /** The content of an entry of the parent, which nothing else may be. */
  private ownContent(before: StoredEntry): StoredContent | undefined {
    const { content } = before;
    if (content === undefined) return undefined;
    const { parent } = this.parts;
    if (!(content instanceof StoredContent) || content.backup !== parent?.manifest.backup)
      throw new ForeignContentError(readableBytes(before.path));
    return content;
  }

  private addBare(entry: Entry): AddResult {
    if (hasContent(entry))
      throw new CatenaError(
        'vault.content-missing',
        `file ${readableBytes(entry.path)} came without content`,
      );
    this.line.push({ ...entry, size: 0n, readAt: this.nowInNanoseconds() });
    return { bytesRead: 0n, bytesNew: 0n };
  }

  private addUnchanged(entry: Entry, before: StoredEntry): AddResult {
    if (!hasContent(entry)) {
      this.line.push({ ...entry, size: 0n, readAt: before.readAt });
      return { bytesRead: 0n, bytesNew: 0n };
    }
    const content = this.ownContent(before);
    if (content === undefined) throw new ForeignContentError(readableBytes(entry.path));
    const { readAt } = before;
    this.usage.content(holdingsOf(content.layout));
    this.counts.unchanged(Number(content.size));
    this.line.push({ ...entry, size: content.size, readAt, encodedContent: content.encoded });
    this.line.hashless ||= content.sha256 === undefined;
    return { bytesRead: 0n, bytesNew: 0n, ...(content.sha256 && { sha256: content.sha256 }) };
  }

  private hasRoom(place: number): boolean {
    this.checkOpen();
    return this.line.hasRoom(place);
  }

  private async room(place: number): Promise<void> {
    this.checkOpen();
    await this.line.room(place);
    this.checkOpen();
  }

  warn(warning: BackupWarning): void {
    this.warnings.push(warning);
  }

  private checkOpen(): void {
    this.parts.options.signal?.throwIfAborted();
    if (this.state !== 'open')
      throw new CatenaError('vault.writer-closed', `backup ${this.backupId} is ${this.state}`);
  }

  /** Resolves when nothing is being stored. */
  private async settled(): Promise<void> {
    while (this.underWay.size > 0) await Promise.allSettled(this.underWay);
    await this.storer.settled();
  }

  async finish(summary: BackupSummary = {}): Promise<FinishedBackup> {
    this.checkOpen();
    await this.settled();
    this.checkOpen();
    this.state = 'finished';
    const { stations, packs, maps, tree, packsDurable, mapsDurable, memory, recent } = this.parts;
    await stations.finish();
    memory.give(recent);
    await packs.finish();
    crashPoint('vault.afterPacks');
    packsDurable.resolve(undefined);
    await this.storer.finish();
    await this.line.drain();
    const index = await this.tree.finish();
    const warningPages = await this.writeWarnings();
    await maps.finish();
    crashPoint('vault.afterMaps');
    mapsDurable.resolve(undefined);
    await tree.finish();
    for (const [volume, objects] of this.tree.places)
      for (const object of objects) this.usage.treeObject(volume, object);
    const { entries, files, bytes, bytesRead, bytesNew } = this.counts;
    const finished = await this.parts.commit({
      usage: this.usage,
      index,
      warningPages,
      warnings: this.warnings.length,
      features: this.line.hashless ? [CONTENT_WITHOUT_HASH] : [],
      ...{ entries, files, bytes, bytesRead, bytesNew },
      blockBytes: stations.blockBytes,
      summary,
    });
    await this.parts.parent?.close();
    return finished;
  }

  private async writeWarnings(): Promise<string[]> {
    const places: string[] = [];
    for (let at = 0; at < this.warnings.length; at += WARNINGS_PER_PAGE) {
      const page = encodeWarnings(this.warnings.slice(at, at + WARNINGS_PER_PAGE));
      const place = await this.parts.tree.append(await compressUnit(page, 3));
      this.usage.treeObject(place.volume, place.object);
      places.push(placeText(place));
    }
    return places;
  }

  async abandon(): Promise<void> {
    if (this.state === 'abandoned') return;
    this.state = 'abandoned';
    const { stations, packs, maps, tree, packsDurable, mapsDurable, parent } = this.parts;
    const reason = new CatenaError('vault.abandoned', `backup ${this.backupId} was abandoned`);
    packsDurable.reject(reason);
    mapsDurable.reject(reason);
    packs.giveUp(reason);
    await stations.abandon(reason);
    await this.storer.abandon(reason);
    await this.settled();
    await this.line.settled();
    await packs.abandon();
    await maps.abandon();
    await tree.abandon();
    await parent?.close();
  }
}
