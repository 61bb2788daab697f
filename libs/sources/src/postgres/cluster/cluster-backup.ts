/** One data backup of a cluster: a base backup, streamed into the vault as it comes. */
import { CatenaError } from '@catena/events';
import type { BackupWriter, Entry, ReadContent, StoredEntry } from '@catena/vault';
import { PendingWork } from '../../files/pending-work.ts';
import { ProgressMeter } from '../../files/progress-meter.ts';
import type { BackupOptions, BackupOutcome } from '../../port/source-driver.ts';
import { SourceError } from '../../port/source-error.ts';
import { pagesOf, targetOfIncremental } from '../pages/incremental-file.ts';
import { PAGE_BYTES } from '../pages/page-checksum.ts';
import { showingPages } from '../pages/whole-pages.ts';
import { byteStringOf } from '../../system-calls/index.ts';
import type { PostgresSpec } from '../postgres-spec.ts';
import type { TarEntry } from '../tar/tar-header.ts';
import type { TarReader } from '../tar/tar-reader.ts';
import { shownAddress } from '../wire/address.ts';
import type { BaseBackup, BaseBackupEnd, BaseBackupOptions } from '../wire/base-backup.ts';
import type { ReplicationConnection } from '../wire/connection.ts';
import { TablespaceWatch } from '../log/tablespace-watch.ts';
import { formatLsn } from '../wire/lsn.ts';
import { storeWhileReading } from '../store-while-reading.ts';
import { identifySystem, readSettings, type ServerSettings } from '../wire/system.ts';
import { readArchives } from './archives.ts';
import { beginBaseBackup, holdWhileItRuns, type BegunBackup } from './begin-base-backup.ts';
import { compareWithManifest } from './compare-with-manifest.ts';
import { DamagedPages, shownDamage, type DamagedFile } from './damaged-pages.ts';
import { readFork } from './fork.ts';
import { changedRuns, readHeader } from './incremental-content.ts';
import { MANIFEST_PATH, ParentFiles } from './parent-files.ts';
import { entryOf, folderEntry, ReceivedFiles } from './received-files.ts';
import { readRecoverySettings } from './recovery-settings.ts';
import { ServerManifest, type ManifestFile } from './server-manifest.ts';

/** Files up to this size are taken into memory whole, so that several are stored at once. */
const SMALL_BYTES = 64 * 1024;
/** What a larger file counts for while it is being stored: it is not in memory as a whole. */
const LARGE_BYTES = 2 * 1024 * 1024;
const DAMAGED_PAGES = 'XX001';
/** What a standby writes into the label of a backup of any version. */
const FROM_STANDBY = /^BACKUP FROM: standby$/m;

export class ClusterBackup {
  readonly #spec: PostgresSpec;
  readonly #writer: BackupWriter;
  readonly #options: BackupOptions;
  readonly #connection: ReplicationConnection;
  readonly #meter: ProgressMeter;
  readonly #pending = new PendingWork({ tasks: 64, bytes: 16 * 1024 * 1024 });
  readonly #received = new ReceivedFiles();
  readonly #now: () => Date;
  #parent: ParentFiles | undefined;
  #damage: DamagedPages | undefined;
  #tablespaces: TablespaceWatch | undefined;
  #warnings = 0;
  #unchanged = 0;
  #filesRead = 0;
  #bytesRead = 0;
  #isTracked = false;
  #isFromStandby = false;
  /** Whose files they are. */
  #like: TarEntry | undefined;

  /** @param connection is left for the caller to close */
  constructor(
    spec: PostgresSpec,
    writer: BackupWriter,
    options: BackupOptions,
    connection: ReplicationConnection,
    now: () => Date = () => new Date(),
  ) {
    this.#spec = spec;
    this.#writer = writer;
    this.#options = options;
    this.#connection = connection;
    this.#meter = new ProgressMeter(options.progress);
    this.#now = now;
  }

  async run(): Promise<BackupOutcome> {
    const system = await identifySystem(this.#connection);
    const settings = await readSettings(this.#connection);
    const recovery = await readRecoverySettings(this.#connection);
    this.#parent = await ParentFiles.read(this.#writer);
    const warn = (code: string, message: string) => this.#warn('', code, message);
    await holdWhileItRuns(this.#connection, warn);
    const { backup, method } = await this.#begin(settings, warn);
    this.#isTracked = method === 'serverTracking';
    if (settings.hasPageChecksums && settings.blockSize === PAGE_BYTES)
      this.#damage = new DamagedPages(backup.start.position, () => this.#connection.notices);
    this.#tablespaces = new TablespaceWatch(backup.start.position, settings.walSegmentSize);
    const expected = this.#options.expected ?? estimateOf(backup);
    this.#meter.expect(expected);
    try {
      await this.#receive(backup);
    } finally {
      await this.#pending.settle().catch(() => undefined);
    }
    await this.#pending.settle();
    const end = await this.#ended(backup);
    const asOf = this.#now();
    const fork = await readFork(this.#connection, end.timeline);
    await this.#received.addTo(this.#writer);
    this.#meter.finish();
    return {
      files: this.#received.files,
      bytes: this.#received.bytes,
      filesRead: this.#filesRead,
      bytesRead: this.#bytesRead,
      unchanged: this.#unchanged,
      warnings: this.#warnings,
      summary: {
        asOf,
        position: {
          start: backup.start.position.toString(),
          end: end.position.toString(),
          fork: fork.fork,
          ...(fork.forkParent === undefined ? {} : { forkParent: fork.forkParent }),
          ...(fork.forkAt === undefined ? {} : { forkAt: fork.forkAt }),
        },
        driverDetails: {
          systemIdentifier: system.systemIdentifier,
          serverVersion: settings.version,
          timeline: end.timeline,
          startLsn: formatLsn(backup.start.position),
          endLsn: formatLsn(end.position),
          walSegmentSize: Number(settings.walSegmentSize),
          blockSize: settings.blockSize,
          pageChecksums: settings.hasPageChecksums,
          standby: this.#isFromStandby,
          method,
          ...recovery,
          ...this.#tablespaces.detail,
        },
      },
    };
  }

  async #begin(
    settings: ServerSettings,
    warn: (code: string, message: string) => void,
  ): Promise<BegunBackup> {
    const options: BaseBackupOptions = {
      label: 'Catena',
      checkpoint: this.#spec.checkpoint,
      includeWal: true,
      estimate: this.#options.progress !== undefined && this.#options.expected === undefined,
      manifestChecksums: this.#spec.manifestChecksums === 'none' ? 'NONE' : 'SHA256',
      verifyChecksums: settings.hasPageChecksums,
      ...(this.#spec.maxRate === undefined ? {} : { maxRate: this.#spec.maxRate }),
    };
    const manifest = this.#parent?.manifest;
    const parent = manifest && (() => this.#writer.previousContent(manifest));
    return await beginBaseBackup(this.#connection, settings, options, { parent, warn });
  }

  async #receive(backup: BaseBackup): Promise<void> {
    const manifestFiles = new Map<string, ManifestFile>();
    const folders: string[] = [''];
    await readArchives(backup, {
      archive: async (tablespace, reader) => {
        const folder = tablespace === undefined ? '' : `pg_tblspc/${tablespace}`;
        if (tablespace !== undefined) folders.push(folder);
        for (let entry = await reader.entry(); entry !== undefined; entry = await reader.entry()) {
          this.#options.signal?.throwIfAborted();
          await this.#take(entry, [folder, entry.name].filter((part) => part !== '').join('/'), reader);
        }
      },
      manifest: async (pieces) => {
        const manifest = new ServerManifest((file) => void manifestFiles.set(file.path, file));
        await this.#takeManifest(pieces, manifest);
        manifest.end();
      },
    });
    await this.#pending.settle();
    for (const folder of folders) this.#received.addOther(folderEntry(folder, this.#like, this.#now()));
    const isTracked = this.#isTracked;
    compareWithManifest(manifestFiles, this.#received, { isTracked, address: this.#connection.address });
  }

  async #take(from: TarEntry, path: string, reader: TarReader): Promise<void> {
    this.#like ??= from;
    if (path === '') return;
    if (from.kind !== 'file') return this.#received.addOther(entryOf(path, from, 0));
    const target = this.#isTracked ? targetOfIncremental(path) : undefined;
    if (target !== undefined) await this.#takeChanges(from, target, reader);
    else if (from.size <= SMALL_BYTES) await this.#takeSmall(from, path, reader);
    else await this.#takeLarge(from, path, reader);
  }

  /** Stored while the next ones are read. */
  async #takeSmall(from: TarEntry, path: string, reader: TarReader): Promise<void> {
    const bytes = await reader.take(from.size);
    this.#damage?.look(path, bytes, 0);
    if (path === 'backup_label') this.#isFromStandby = FROM_STANDBY.test(bytes.toString('utf8'));
    if (!this.#pending.hasRoom) await this.#pending.room();
    const entry = entryOf(path, from, from.size);
    const work = this.#store(entry, { open: () => once(bytes), whole: bytes }, path);
    this.#pending.track(work, bytes.length);
  }

  /** Read to its end, and stored while the next ones are read. */
  async #takeLarge(from: TarEntry, path: string, reader: TarReader): Promise<void> {
    const damage = this.#damage;
    const passing = this.#tablespaces?.passing(path, reader.content()) ?? reader.content();
    const content =
      damage === undefined
        ? passing
        : showingPages(passing, (pages, first) => damage.look(path, pages, first));
    if (!this.#pending.hasRoom) await this.#pending.room();
    const { stored } = await storeWhileReading(content, (pieces) =>
      this.#store(entryOf(path, from, from.size), { open: () => pieces }, path),
    );
    this.#pending.track(stored, Math.min(from.size, LARGE_BYTES));
  }

  async #store(
    entry: Entry,
    content: Pick<ReadContent['read'], 'open' | 'whole'>,
    path: string,
  ): Promise<void> {
    const before = this.#parent?.find(path);
    const reading: ReadContent = {
      read: { sizeHint: entry.size, ...content },
      ...(before === undefined ? {} : { before }),
    };
    const stored = await this.#writer.store(reading, entry);
    this.#received.addFile(entry, { stored }, stored.sha256);
    this.#countRead(Number(entry.size), path);
    if (before !== undefined && stored.bytesNew === 0n && stored.size === before.size) this.#unchanged += 1;
  }

  async #takeChanges(from: TarEntry, path: string, reader: TarReader): Promise<void> {
    const before = this.#parent?.find(path);
    if (before === undefined)
      throw new Error(`the server sent changes of ${path}, of which the parent has nothing`);
    const header = await readHeader(reader, from.size, path);
    const size = pagesOf(header) * PAGE_BYTES;
    const entry = entryOf(path, from, size);
    if (isSame(header, before)) {
      this.#received.addFile(entry, { asBefore: before });
      this.#unchanged += 1;
      this.#meter.add(1, size, shown(path));
      return;
    }
    const changes = changedRuns(reader, header, (pages, first) => this.#damage?.look(path, pages, first));
    const stored = await this.#writer.store({ before, size: BigInt(size), changes }, entry);
    this.#received.addFile(entry, { stored });
    this.#filesRead += 1;
    this.#bytesRead += header.blocks.length * PAGE_BYTES;
    this.#meter.add(1, size, shown(path));
  }

  async #takeManifest(pieces: AsyncIterable<Buffer>, manifest: ServerManifest): Promise<void> {
    async function* passing(): AsyncGenerator<Buffer, void, void> {
      for await (const piece of pieces) {
        manifest.push(piece);
        yield piece;
      }
    }
    const like = this.#like ?? folderTar(this.#now());
    const named: TarEntry = { ...like, kind: 'file', mode: 0o600 };
    const entry = entryOf(MANIFEST_PATH, named, 0);
    const before = this.#parent?.manifest;
    const content: ReadContent = {
      read: { sizeHint: before?.size ?? 0n, open: passing },
      ...(before === undefined ? {} : { before }),
    };
    const stored = await this.#writer.store(content, entry);
    this.#received.addFile({ ...entry, size: stored.size }, { stored }, stored.sha256);
    this.#countRead(Number(stored.size), MANIFEST_PATH);
  }

  #countRead(bytes: number, path: string): void {
    this.#filesRead += 1;
    this.#bytesRead += bytes;
    this.#meter.add(1, bytes, shown(path));
  }

  /** Waits for the server's word that all went well. Damaged pages are the one thing that may be let pass, by name. */
  async #ended(backup: BaseBackup): Promise<BaseBackupEnd> {
    try {
      const end = await backup.end();
      this.#connection.takeNotices();
      return end;
    } catch (error) {
      const sqlState = error instanceof CatenaError ? error.details?.['sqlState'] : undefined;
      const end = backup.reachedEnd;
      if (sqlState !== DAMAGED_PAGES || end === undefined) throw error;
      const damaged = this.#damage?.confirmed() ?? [];
      this.#connection.takeNotices();
      if (damaged.length === 0) throw error;
      if (this.#spec.damagedPages === 'fail') throw this.#damagedCluster(damaged, error);
      for (const file of damaged)
        this.#warn(
          file.path,
          'postgres.pageDamaged',
          `The server's pages are damaged: ${shownDamage(file)} (relation ${file.relation}).`,
        );
      return end;
    }
  }

  #damagedCluster(damaged: readonly DamagedFile[], cause: unknown): SourceError {
    return new SourceError(
      'source.damaged',
      `The PostgreSQL cluster at ${shownAddress(this.#connection.address)} has damaged pages: ${damaged.slice(0, 20).map(shownDamage).join('; ')}.`,
      {
        remedy:
          'Restore what is damaged from a backup before it. To back up the cluster as it is, say damagedPages: warn in its definition.',
        details: {
          damaged: damaged.slice(0, 100).map(({ path, blocks }) => ({ path, blocks: blocks.slice(0, 100) })),
        },
        cause,
      },
    );
  }

  #warn(path: string, code: string, message: string): void {
    this.#warnings += 1;
    this.#writer.warn({ path: Buffer.from(path), code, message });
  }
}

const shown = (path: string) => byteStringOf(Buffer.from(path));

function estimateOf({ tablespaces }: BaseBackup): { files: number; bytes: number } | undefined {
  const sizes = tablespaces.map(({ kilobytes }) => kilobytes);
  if (sizes.length === 0 || sizes.includes(undefined)) return undefined;
  return { files: 0, bytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0) * 1024, 0) };
}

/** Nothing was written, and the file is as long as it was. */
function isSame(header: Parameters<typeof pagesOf>[0], before: StoredEntry): boolean {
  return header.blocks.length === 0 && BigInt(pagesOf(header)) * BigInt(PAGE_BYTES) === before.size;
}

function folderTar(now: Date): TarEntry {
  return {
    ...{
      name: '',
      kind: 'folder',
      size: 0,
      mode: 0o700,
      uid: 0,
      gid: 0,
      user: '',
      group: '',
      linkTarget: '',
    },
    mtime: Math.floor(now.getTime() / 1000),
  };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  if (bytes.length > 0) yield await Promise.resolve(bytes);
}
