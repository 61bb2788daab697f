import type { ObjectSeriesWriter } from '../container/object-series-writer.ts';
import { compressUnit, rawUnit } from '../container/unit-codec.ts';
import { crashPoint } from '../crash-point.ts';
import { ForeignContentError } from '../error/writer-error.ts';
import { readableBytes } from '../codec/readable-bytes.ts';
import { StoredContent } from '../map/content-ref.ts';
import type { BackupWarning, FinishedBackup } from '../port/backup-writer.ts';
import type { StoredEntry } from '../port/entry.ts';
import type { Position } from '../port/manifest.ts';
import type { VaultBackupReader } from '../read/vault-backup-reader.ts';
import { PagesBefore } from '../tree/pages-before.ts';
import { placeText } from '../tree/tree-index.ts';
import { TreeWriter } from '../tree/tree-writer.ts';
import { encodeWarnings } from '../tree/warning-page.ts';
import { ClosureUsage } from '../write/closure-usage.ts';
import type { LeftoverBlocks } from '../write/leftover-blocks.ts';
import { OrderedQueue } from '../write/ordered-queue.ts';
import type { OwnSeries } from '../write/own-series.ts';
import type { WrittenBackup } from '../write/writer-parts.ts';
import { BlockMover } from './block-mover.ts';
import type { ComposeOptions } from './compose-plan.ts';
import { ComposedUnits } from './composed-units.ts';
import { ContentMover } from './content-mover.ts';

/** Warnings per page. */
const WARNINGS_PER_PAGE = 1000;
const DEFAULT_UNIT_BYTES = 128 * 1024;

export interface ComposerParts {
  /** The backup that is composed from. */
  readonly from: VaultBackupReader;
  readonly series: OwnSeries;
  readonly leftovers: LeftoverBlocks | undefined;
  readonly options: ComposeOptions;
  readonly commit: (written: WrittenBackup) => Promise<FinishedBackup>;
}

/** Writes a full out of another backup's blocks, in the order of its entries, in bounded memory. */
export class FullComposer {
  private readonly parts: ComposerParts;
  private readonly composed: ComposedUnits;
  private readonly blocks: BlockMover;
  private readonly contents: ContentMover;
  private readonly queue = new OrderedQueue();
  private readonly tree: TreeWriter;
  private readonly usage = new ClosureUsage();
  private readonly counted = { entries: 0, files: 0, bytes: 0 };

  constructor(parts: ComposerParts) {
    this.parts = parts;
    const { from, series, options, leftovers } = parts;
    const compressionLevel = options.compressionLevel ?? 1;
    this.tree = new TreeWriter(series.tree, compressionLevel, new PagesBefore(undefined));
    this.composed = new ComposedUnits({
      packs: series.packs,
      unitBytes: options.unitBytes ?? DEFAULT_UNIT_BYTES,
      compressionLevel,
    });
    this.blocks = new BlockMover({
      units: from.units,
      composed: this.composed,
      identityKey: from.identity,
      from: from.manifest.backup,
      leftovers,
    });
    this.contents = new ContentMover(from.manifest.backup, this.blocks, this.queue, (page) =>
      series.maps.append(rawUnit(page)),
    );
  }

  async run(): Promise<FinishedBackup> {
    const { from, options, series } = this.parts;
    for await (const entry of from.entries()) {
      options.signal?.throwIfAborted();
      await this.take(entry);
    }
    await this.blocks.drain();
    await series.packs.finish();
    crashPoint('vault.afterPacks');
    series.packsDurable.resolve(undefined);
    await this.queue.drain();
    const index = await this.tree.finish();
    const { warningPages, warnings } = await this.copyWarnings();
    await series.maps.finish();
    crashPoint('vault.afterMaps');
    series.mapsDurable.resolve(undefined);
    await series.tree.finish();
    for (const [volume, objects] of this.tree.places)
      for (const object of objects) this.usage.treeObject(volume, object);
    await options.beforeManifest?.();
    const { position, asOf, driverDetails } = from.manifest;
    return this.parts.commit({
      usage: this.usage,
      index,
      warningPages,
      warnings,
      features: from.manifest.features,
      ...this.counted,
      bytesRead: 0,
      bytesNew: this.blocks.bytesMoved,
      blockBytes: this.composed.blockBytes,
      summary: {
        asOf: new Date(asOf),
        ...(position === undefined ? {} : { position: withoutArchivePoint(position) }),
        ...(driverDetails === undefined ? {} : { driverDetails }),
      },
    });
  }

  private async take(entry: StoredEntry): Promise<void> {
    await this.contents.room();
    const { content, ...rest } = entry;
    this.counted.entries++;
    this.counted.bytes += Number(entry.size);
    if (entry.kind === 'file') this.counted.files++;
    const map = this.parts.from.map(entry);
    if (content === undefined || map === undefined) {
      this.queue.push(() => this.tree.add(rest));
    } else {
      if (!(content instanceof StoredContent)) throw new ForeignContentError(readableBytes(entry.path));
      const { encoded, holdings } = await this.contents.move(content, map, entry.path);
      this.queue.push(async () => {
        this.usage.content(await holdings);
        await this.tree.add({ ...rest, encodedContent: await encoded });
      });
    }
    this.progress();
    crashPoint('vault.composedEntry');
  }

  private progress(): void {
    const { packs, maps, tree } = this.parts.series;
    this.parts.options.onProgress?.({
      files: this.counted.files,
      bytesRead: this.counted.bytes,
      bytesNew: this.blocks.bytesMoved,
      bytesUnchanged: 0,
      bytesStored: packs.bytesWritten + maps.bytesWritten + tree.bytesWritten,
    });
  }

  /** What could not be read then is not in the composed full either. */
  private async copyWarnings(): Promise<{ warningPages: string[]; warnings: number }> {
    const warningPages: string[] = [];
    let warnings = 0;
    let page: BackupWarning[] = [];
    const close = async () => {
      if (page.length === 0) return;
      const place = await this.parts.series.tree.append(await compressUnit(encodeWarnings(page), 3));
      this.usage.treeObject(place.volume, place.object);
      warningPages.push(placeText(place));
      page = [];
    };
    for await (const warning of this.parts.from.warnings()) {
      warnings++;
      page.push(warning);
      if (page.length === WARNINGS_PER_PAGE) await close();
    }
    await close();
    return { warningPages, warnings };
  }

  async abandon(reason: unknown): Promise<void> {
    const { packs, maps, tree, packsDurable, mapsDurable } = this.parts.series;
    packsDurable.reject(reason);
    mapsDurable.reject(reason);
    await this.blocks.stop(reason);
    await this.queue.settled();
    const series: readonly ObjectSeriesWriter[] = [packs, maps, tree];
    for (const one of series) await one.abandon();
  }
}

/** The source is not looked at, so no log chain can begin with a composed full. */
function withoutArchivePoint({ archivePoint: _past, ...position }: Position): Position {
  return position;
}
