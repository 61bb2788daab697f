import type { KeyObject } from 'node:crypto';
import { createHash } from 'node:crypto';
import { readableBytes } from '../codec/readable-bytes.ts';
import { UnitReader, type ReadableVolume } from '../container/unit-reader.ts';
import { DamagedObjectError } from '../error/damaged-object-error.ts';
import { ForeignContentError } from '../error/writer-error.ts';
import { blockIdentityKey } from '../key/data-key.ts';
import { StoredContent } from '../map/content-ref.ts';
import { MapReader } from '../map/map-reader.ts';
import type { ContentPlanner, EntryPage, EntrySelection, PagedBackupReader } from '../port/backup-reader.ts';
import type { BackupWarning } from '../port/backup-writer.ts';
import type { StoredEntry } from '../port/entry.ts';
import type { Manifest } from '../port/manifest.ts';
import type { ObjectStore } from '../port/object-store.ts';
import { comparePaths } from '../port/path-order.ts';
import type { CollectionContext } from '../repository/collection-context.ts';
import { publicIdentity, readableVolumes } from '../repository/collection-context.ts';
import { parsePlace } from '../tree/tree-index.ts';
import { TreeReader } from '../tree/tree-reader.ts';
import { decodeWarnings } from '../tree/warning-page.ts';
import { blockStream, contentRange, contentStream } from './content-stream.ts';
import type { ReadOptions } from './read-options.ts';
import { stretchesOf } from './entry-stretch.ts';
import { globMatcher } from './glob.ts';
import { FileContentPlanner } from './planned/content-planner.ts';

/** Reads one backup through its manifest. */
export class VaultBackupReader implements PagedBackupReader {
  readonly manifest: Manifest;
  readonly units: UnitReader;
  readonly tree: TreeReader;
  /** Key of the block identities. */
  readonly identity: KeyObject;

  readonly planner?: ContentPlanner;

  private constructor(
    manifest: Manifest,
    store: ObjectStore,
    volumes: readonly ReadableVolume[],
    identity: KeyObject,
    options: ReadOptions,
  ) {
    this.manifest = manifest;
    const units = new UnitReader(store, volumes, options);
    this.units = units;
    this.tree = new TreeReader(units, manifest.tree.index, manifest.backup);
    this.identity = identity;
    if (store.openDescriptor !== undefined)
      this.planner = new FileContentPlanner({
        store,
        volumes,
        backup: manifest.backup,
        mapOf: (entry) => this.map(entry),
        rate: options.limits?.read,
      });
  }

  /** @throws LockedError, DataKeyMissingError */
  static async open(
    context: CollectionContext,
    manifest: Manifest,
    options: ReadOptions = {},
  ): Promise<VaultBackupReader> {
    const volumes = await readableVolumes(context, manifest);
    const { identityKey } = manifest;
    const keyring = identityKey === undefined ? undefined : await context.keyring();
    const identity =
      identityKey === undefined || keyring === undefined ? publicIdentity(context) : keyring.key(identityKey);
    return new VaultBackupReader(manifest, context.store, volumes, blockIdentityKey(identity), options);
  }

  /** What is damaged, with the name of this backup and of the file. */
  private named(error: unknown, file?: Uint8Array): unknown {
    if (!(error instanceof DamagedObjectError)) return error;
    return error.neededBy({
      backup: this.manifest.backup,
      ...(file === undefined ? {} : { file: readableBytes(file) }),
    });
  }

  async *entries(selection: EntrySelection = {}): AsyncIterable<StoredEntry> {
    const { globs, onDamaged } = selection;
    const matches = globs === undefined ? () => true : globMatcher(globs);
    const report =
      onDamaged &&
      ((error: DamagedObjectError, first?: Uint8Array, next?: Uint8Array) =>
        onDamaged(this.named(error) as DamagedObjectError, first, next));
    try {
      for (const stretch of stretchesOf(selection))
        for await (const entry of this.tree.entries({ ...stretch, onDamaged: report })) {
          const { isWanted, isOver } = stretch.judge(entry.path);
          if (isOver) break;
          if (isWanted && matches(entry.path)) yield entry;
        }
    } catch (error) {
      throw this.named(error);
    }
  }

  async *entryPages(): AsyncIterable<EntryPage> {
    try {
      for await (const { refs } of this.tree.indexPages())
        for (const ref of refs)
          yield {
            first: ref.first,
            hash: ref.hash,
            entries: () =>
              this.tree.read(ref).catch((error: unknown) => {
                throw this.named(error);
              }),
          };
    } catch (error) {
      throw this.named(error);
    }
  }

  async find(path: Uint8Array): Promise<StoredEntry | undefined> {
    for await (const entry of this.entries({ under: path }))
      return comparePaths(entry.path, path) === 0 ? entry : undefined;
    return undefined;
  }

  /** The block map of an entry of this backup. */
  map(entry: StoredEntry): MapReader | undefined {
    const { content } = entry;
    if (content === undefined) return undefined;
    if (!(content instanceof StoredContent) || content.backup !== this.manifest.backup)
      throw new ForeignContentError(readableBytes(entry.path));
    return new MapReader(content.layout, content.cut, (place, decode) =>
      this.units.page('map', place, decode),
    );
  }

  async *content(entry: StoredEntry): AsyncIterable<Uint8Array> {
    const map = this.map(entry);
    if (map === undefined || entry.content === undefined) return;
    const { sha256 } = entry.content;
    if (sha256 === undefined) {
      yield* this.provenByBlocks(map, entry.path, Number(entry.content.size));
      return;
    }
    const hash = createHash('sha256');
    try {
      for await (const chunk of contentStream(map, this.units, Number(entry.content.size))) {
        hash.update(chunk);
        yield chunk;
      }
    } catch (error) {
      throw this.named(error, entry.path);
    }
    if (Buffer.compare(hash.digest(), sha256) !== 0)
      throw new DamagedObjectError({
        object: this.manifest.folder,
        reason: 'content differs from its hash',
        backups: [this.manifest.backup],
        files: [readableBytes(entry.path)],
      });
  }

  private async *provenByBlocks(map: MapReader, file: Uint8Array, size: number): AsyncIterable<Uint8Array> {
    try {
      yield* blockStream(map, this.units, this.identity, size);
    } catch (error) {
      throw this.named(error, file);
    }
  }

  async contentRange(entry: StoredEntry, offset: bigint, length: number): Promise<Uint8Array> {
    const map = this.map(entry);
    if (map === undefined) return new Uint8Array();
    try {
      return await contentRange(map, this.units, this.identity, Number(offset), length);
    } catch (error) {
      throw this.named(error, entry.path);
    }
  }

  async *warnings(): AsyncIterable<BackupWarning> {
    try {
      for (const place of this.manifest.tree.warnings)
        yield* await this.units.page('tree', parsePlace(place), decodeWarnings);
    } catch (error) {
      throw this.named(error);
    }
  }

  async close(): Promise<void> {
    await this.units.close();
  }
}
