import type { KeyObject } from 'node:crypto';
import { CatenaError } from '@catena/events';
import { readableBytes } from '../codec/readable-bytes.ts';
import type { ObjectSeriesWriter } from '../container/object-series-writer.ts';
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
import type { VaultBackupReader } from '../read/vault-backup-reader.ts';
import type { EncodableEntry } from '../tree/entry-codec.ts';
import type { PagesBefore } from '../tree/pages-before.ts';
import { placeText } from '../tree/tree-index.ts';
import { TreeWriter } from '../tree/tree-writer.ts';
import { encodeWarnings } from '../tree/warning-page.ts';
import type { BackupPlan, WriteOptions } from './backup-plan.ts';
import { ClosureUsage } from './closure-usage.ts';
import type { StoredResult } from './content-storer.ts';
import { ContentStorer } from './content-storer.ts';
import type { LeftoverBlocks } from './leftover-blocks.ts';
import { OrderedQueue } from './ordered-queue.ts';
import { ReadAhead } from './read-ahead.ts';
import { UnitPacker } from './unit-packer.ts';
import type { OwnVolume } from './write-manifest.ts';

/** Entries and leaves that may wait for their blocks before a unit is closed early. */
const MAX_WAITING = 1024;
/** Warnings per page. */
const WARNINGS_PER_PAGE = 1000;
export const DEFAULT_UNIT_BYTES = 128 * 1024;

export interface WriterParts {
  readonly plan: BackupPlan;
  readonly options: WriteOptions;
  readonly parent: VaultBackupReader | undefined;
  readonly packs: ObjectSeriesWriter;
  readonly maps: ObjectSeriesWriter;
  readonly tree: ObjectSeriesWriter;
  readonly own: OwnVolume;
  readonly leftovers: LeftoverBlocks | undefined;
  readonly identityKey: KeyObject;
  readonly gear: Uint32Array;
  readonly now: () => Date;
  /** Resolves or rejects when the packs, then the maps, are durable: what refers to them waits for it. */
  readonly packsDurable: PromiseWithResolvers<undefined>;
  readonly mapsDurable: PromiseWithResolvers<undefined>;
  /** Creates the manifest, or finds the one another attempt created. */
  readonly commit: (written: WrittenBackup) => Promise<FinishedBackup>;
}

/** Everything the manifest says that only the writer knows. */
export interface WrittenBackup {
  readonly usage: ClosureUsage;
  readonly index: readonly string[];
  readonly warningPages: readonly string[];
  readonly warnings: number;
  /** What a reader must understand beyond version 1. */
  readonly features: readonly string[];
  readonly entries: number;
  readonly files: number;
  readonly bytes: number;
  readonly bytesRead: number;
  readonly bytesNew: number;
  readonly blockBytes: number;
  readonly summary: BackupSummary;
}

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
  private readonly packer: UnitPacker;
  private readonly queue = new OrderedQueue();
  private readonly readAhead = new ReadAhead();
  private readonly storer: ContentStorer;
  private readonly usage = new ClosureUsage();
  private readonly tree: TreeWriter;
  private readonly warnings: BackupWarning[] = [];
  private turn: Promise<unknown> = Promise.resolve();
  private readonly handles = new Map<StoredHandle, StoredResult>();
  /** Whether there is content that has no hash of all of it. */
  private hashless = false;
  private lastPath: Uint8Array | undefined;
  private state: 'open' | 'finished' | 'abandoned' = 'open';
  private readonly counted = { entries: 0, files: 0, bytes: 0, bytesRead: 0, bytesNew: 0, bytesUnchanged: 0 };

  constructor(parts: WriterParts, pagesBefore: PagesBefore) {
    this.parts = parts;
    this.backupId = parts.plan.backupId;
    const { options, packs, maps } = parts;
    const compressionLevel = options.compressionLevel ?? 1;
    this.tree = new TreeWriter(parts.tree, compressionLevel, pagesBefore);
    this.packer = new UnitPacker({
      packs,
      compressionLevel,
      unitBytes: options.unitBytes ?? DEFAULT_UNIT_BYTES,
      maxUnits: 24,
    });
    this.storer = new ContentStorer({
      packer: this.packer,
      queue: this.queue,
      appendPage: (page) => maps.append(rawUnit(page)),
      identityKey: parts.identityKey,
      gear: parts.gear,
      leftovers: parts.leftovers,
      signal: options.signal,
      onBytes: (read, stored) => {
        this.counted.bytesRead += read;
        this.counted.bytesNew += stored;
        this.progress();
      },
    });
  }

  private progress(): void {
    const { options, packs, maps, tree } = this.parts;
    const { files, bytesRead, bytesNew, bytesUnchanged } = this.counted;
    options.onProgress?.({
      files,
      bytesRead,
      bytesNew,
      bytesUnchanged,
      bytesStored: packs.bytesWritten + maps.bytesWritten + tree.bytesWritten,
    });
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
    return this.inTurn((turn) => this.addInTurn(entry, content, turn));
  }

  /** Work that may begin at once, but must await its turn before it writes. */
  private async inTurn<T>(work: (turn: Promise<unknown>) => Promise<T>): Promise<T> {
    const turn = this.turn;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.turn = promise;
    try {
      return await work(turn);
    } finally {
      // Also when reading failed early: the next entry must not overtake those before this one.
      void turn.then(resolve);
    }
  }

  private async addInTurn(
    entry: Entry,
    content: AddContent | undefined,
    turn: Promise<unknown>,
  ): Promise<AddResult> {
    if (content === undefined || 'asBefore' in content) {
      await turn;
      await this.room();
      return content === undefined ? this.addBare(entry) : this.addUnchanged(entry, content.asBefore);
    }
    if ('stored' in content) {
      await turn;
      await this.room();
      const stored = this.handles.get(content.stored);
      if (stored === undefined) throw new ForeignContentError(readableBytes(entry.path));
      this.handles.delete(content.stored);
      this.push(entry, content.stored.readAt, stored);
      return content.stored;
    }
    const readAt = content.readAt ?? this.nowInNanoseconds();
    const stored = await this.storeInTurn(content, entry, turn);
    this.push(entry, readAt, stored);
    return resultOf(stored);
  }

  async store(
    content: ReadContent | ChangedContent,
    file: Pick<Entry, 'path' | 'size'>,
  ): Promise<StoredHandle> {
    this.checkOpen();
    const readAt = content.readAt ?? this.nowInNanoseconds();
    const stored = await this.inTurn((turn) => this.storeInTurn(content, file, turn));
    const handle = { ...resultOf(stored), size: BigInt(stored.size), readAt };
    this.handles.set(handle, stored);
    return handle;
  }

  private async storeInTurn(
    content: ReadContent | ChangedContent,
    file: Pick<Entry, 'path' | 'size'>,
    turn: Promise<unknown>,
  ): Promise<StoredResult> {
    const before = content.before === undefined ? undefined : this.ownContent(content.before);
    const map = content.before && this.parts.parent?.map(content.before);
    if ('changes' in content) {
      await turn;
      await this.room();
      if (before === undefined || map === undefined) throw new ForeignContentError(readableBytes(file.path));
      const { parent } = this.parts;
      const readBefore = (offset: number, length: number) =>
        parent?.contentRange(content.before, BigInt(offset), length) ?? Promise.resolve(new Uint8Array());
      return this.storer.storeChanges(content, { content: before, map, read: readBefore });
    }
    const source = await this.readAhead.begin(content.read);
    try {
      await turn;
      await this.room();
      const cut = before?.cut ?? (this.parts.options.cut ?? chooseCut)(file);
      return await this.storer.store(source.bytes, cut, map);
    } finally {
      await source.done();
    }
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
    this.write({ ...entry, size: 0n, readAt: this.nowInNanoseconds() });
    return { bytesRead: 0n, bytesNew: 0n };
  }

  private addUnchanged(entry: Entry, before: StoredEntry): AddResult {
    if (!hasContent(entry)) {
      this.write({ ...entry, size: 0n, readAt: before.readAt });
      return { bytesRead: 0n, bytesNew: 0n };
    }
    const content = this.ownContent(before);
    if (content === undefined) throw new ForeignContentError(readableBytes(entry.path));
    const { readAt } = before;
    this.usage.content(holdingsOf(content.layout));
    this.counted.bytesUnchanged += Number(content.size);
    this.write({ ...entry, size: content.size, readAt, encodedContent: content.encoded });
    this.hashless ||= content.sha256 === undefined;
    return { bytesRead: 0n, bytesNew: 0n, ...(content.sha256 && { sha256: content.sha256 }) };
  }

  private push(entry: Entry, readAt: bigint, stored: StoredResult): void {
    const { size, reference } = stored;
    this.hashless ||= stored.sha256 === undefined;
    this.count(entry, size);
    this.queue.push(async () => {
      const { encoded, holdings } = await reference;
      this.usage.content(holdings);
      await this.tree.add({ ...entry, size: BigInt(size), readAt, encodedContent: encoded });
    });
  }

  private write(entry: EncodableEntry): void {
    this.count(entry, Number(entry.size));
    this.queue.push(() => this.tree.add(entry));
  }

  private count(entry: Entry, size: number): void {
    this.counted.entries++;
    this.counted.bytes += size;
    if (entry.kind === 'file') this.counted.files++;
    this.progress();
  }

  /** Waits while too much waits; an entry must not wait for ever in a unit that nothing fills. */
  private async room(): Promise<void> {
    this.checkOpen();
    this.queue.throwIfFailed();
    if (this.queue.waiting < MAX_WAITING) return;
    this.packer.flush();
    await this.queue.drain();
  }

  warn(warning: BackupWarning): void {
    this.warnings.push(warning);
  }

  private checkOpen(): void {
    this.parts.options.signal?.throwIfAborted();
    if (this.state !== 'open')
      throw new CatenaError('vault.writer-closed', `backup ${this.backupId} is ${this.state}`);
  }

  async finish(summary: BackupSummary = {}): Promise<FinishedBackup> {
    this.checkOpen();
    await this.turn;
    this.checkOpen();
    this.state = 'finished';
    const { packs, maps, tree, packsDurable, mapsDurable } = this.parts;
    await this.packer.drain();
    await packs.finish();
    crashPoint('vault.afterPacks');
    packsDurable.resolve(undefined);
    await this.queue.drain();
    const index = await this.tree.finish();
    const warningPages = await this.writeWarnings();
    await maps.finish();
    crashPoint('vault.afterMaps');
    mapsDurable.resolve(undefined);
    await tree.finish();
    for (const [volume, objects] of this.tree.places)
      for (const object of objects) this.usage.treeObject(volume, object);
    const { entries, files, bytes, bytesRead, bytesNew } = this.counted;
    const finished = await this.parts.commit({
      usage: this.usage,
      index,
      warningPages,
      warnings: this.warnings.length,
      features: this.hashless ? [CONTENT_WITHOUT_HASH] : [],
      ...{ entries, files, bytes, bytesRead, bytesNew },
      blockBytes: this.packer.blockBytes,
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
    const { packs, maps, tree, packsDurable, mapsDurable, parent } = this.parts;
    const reason = new CatenaError('vault.abandoned', `backup ${this.backupId} was abandoned`);
    packsDurable.reject(reason);
    mapsDurable.reject(reason);
    await this.packer.stop();
    await this.queue.settled();
    await packs.abandon();
    await maps.abandon();
    await tree.abandon();
    await parent?.close();
  }
}
