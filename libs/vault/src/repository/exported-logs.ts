import { randomBytes } from 'node:crypto';
import { CatenaError } from '@catena/events';
import { MalformedBytesError } from '../codec/byte-reader.ts';
import type { ContentsUnit } from '../container/contents-table.ts';
import { decodeContents } from '../container/contents-table.ts';
import { decodeFooter } from '../container/object-footer.ts';
import { decodeHeader, FOOTER_BYTES, HEADER_BYTES } from '../container/object-header.ts';
import { ObjectSeriesWriter, SMALLEST_OBJECT_BYTES } from '../container/object-series-writer.ts';
import { compressUnit, decodeUnit, rawUnit } from '../container/unit-codec.ts';
import type { UnitSeal } from '../container/unit-seal.ts';
import { unitSeal } from '../container/unit-seal.ts';
import type { Damage } from '../error/damaged-object-error.ts';
import { DamagedObjectError } from '../error/damaged-object-error.ts';
import { ObjectMissingError } from '../error/object-missing-error.ts';
import type { CollectionContext } from './collection-context.ts';
import type { KeyringStore } from './keyring-store.ts';
import { decodeName, encodeName, LOG_FOLDER } from './layout.ts';

/** One export on its way into the repository. */
export interface LogExport {
  /** Adds bytes; they come back in pieces of the same lengths. At most 8 MiB at once. */
  append(bytes: Uint8Array): Promise<void>;
  /** Makes the export durable and visible. */
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

/** Exports of the event log: a repository is where a backup product backs itself up, too. */
export class ExportedLogs {
  private readonly context: CollectionContext;
  private readonly keyrings: KeyringStore;

  constructor(context: CollectionContext, keyrings: KeyringStore) {
    this.context = context;
    this.keyrings = keyrings;
  }

  private objectOf(name: string): string {
    return `${LOG_FOLDER}${encodeName(name)}`;
  }

  /**
   * Begins an export under a name of its own, e.g. the sequences it covers.
   * @throws CatenaError `vault.log-exists`, LockedError, KeyRequiredError
   */
  async create(name: string): Promise<LogExport> {
    const { store, encrypted, place } = this.context;
    const object = this.objectOf(name);
    if ((await store.size(object)) !== undefined)
      throw new CatenaError('vault.log-exists', `${object} is there already`, {
        remedy: 'exports are never replaced; choose another name',
      });
    const keyring = encrypted ? await this.keyrings.openOrCreate() : undefined;
    const series = new ObjectSeriesWriter({
      ...{ store, kind: 'log', targetBytes: Infinity, nameOf: () => object },
      volume: { number: 0, id: randomBytes(16).toString('hex'), origin: place.origin },
      ...(keyring === undefined ? {} : { key: keyring.active }),
    });
    // Two exports that were given each other's names are noticed.
    await series.append(rawUnit(Buffer.from(name)));
    return {
      append: async (bytes) => {
        await series.append(await compressUnit(bytes, 3));
      },
      finish: () => series.finish(),
      abandon: () => series.abandon(),
    };
  }

  /** Names of all exports, sorted, with the sizes they have in the repository. */
  async list(): Promise<{ name: string; size: number }[]> {
    const { objects } = await this.context.store.listFolder(LOG_FOLDER);
    return objects.map(({ name, size }) => ({
      name: decodeName(name.slice(LOG_FOLDER.length)) ?? name,
      size,
    }));
  }

  private damaged(object: string, reason: Damage['reason'], unit?: ContentsUnit): DamagedObjectError {
    const where = unit === undefined ? {} : { offset: unit.offset, length: unit.length };
    return new DamagedObjectError({ object, reason, ...where, backups: [], files: [] });
  }

  /** What was appended, piece by piece, each verified. @throws DamagedObjectError, ObjectMissingError */
  async *read(name: string): AsyncIterable<Buffer> {
    const { store, place } = this.context;
    const object = this.objectOf(name);
    const size = await store.size(object);
    if (size === undefined) throw new ObjectMissingError(object, store.location);
    if (size < SMALLEST_OBJECT_BYTES) throw this.damaged(object, 'truncated');
    const identity = decodeHeader(await store.read(object, 0, HEADER_BYTES));
    const footer = decodeFooter(await store.read(object, size - FOOTER_BYTES, FOOTER_BYTES));
    if (identity?.kind !== 'log' || identity.origin !== place.origin) throw this.damaged(object, 'header');
    if (footer === undefined) throw this.damaged(object, 'truncated');
    const keyring = identity.key === undefined ? undefined : await this.keyrings.open();
    const seal = unitSeal(identity, keyring?.key(identity.key ?? '').secret);
    const { contentsOffset: offset, contentsLength: length } = footer;
    const table = await this.open(object, seal, { offset, length, blocks: [] });
    const [first, ...units] = this.decoded(object, () => decodeContents(table, footer.units));
    if (first === undefined || (await this.open(object, seal, first)).toString() !== name)
      throw this.damaged(object, 'wrong place');
    for (const unit of units) yield await this.open(object, seal, unit);
  }

  private decoded<T>(object: string, decode: () => T): T {
    try {
      return decode();
    } catch (error) {
      if (error instanceof MalformedBytesError) throw this.damaged(object, 'malformed');
      throw error;
    }
  }

  private async open(object: string, seal: UnitSeal, unit: ContentsUnit): Promise<Buffer> {
    const opened = seal.open(await this.context.store.read(object, unit.offset, unit.length), unit.offset);
    if (opened === undefined) throw this.damaged(object, 'checksum', unit);
    return decodeUnit(opened);
  }
}
