/** One log backup of a cluster: the write-ahead log between two positions, segment by segment, byte for byte. */
import { CatenaError } from '@catena/events';
import { comparePaths, type BackupWriter, type Entry, type StoredHandle } from '@catena/vault';
import { ProgressMeter } from '../../files/progress-meter.ts';
import { byteStringOf } from '../../system-calls/index.ts';
import { HistoryLostError } from '../../port/history-lost-error.ts';
import type { BackupOutcome, LogBackupOptions } from '../../port/source-driver.ts';
import { parseTimelineHistory } from '../cluster/fork.ts';
import type { PostgresSpec } from '../postgres-spec.ts';
import { shownAddress } from '../wire/address.ts';
import type { ReplicationConnection } from '../wire/connection.ts';
import { formatLsn, segmentName, segmentStart } from '../wire/lsn.ts';
import { identifySystem, readSettings, readTimelineHistory, type ServerSettings } from '../wire/system.ts';
import { WalStream } from '../wire/wal-stream.ts';
import { CommitScanner } from './commit-scanner.ts';
import { holdLog, readHold, slotOf } from './held-log.ts';
import { LogFlow } from './log-flow.ts';
import { stretchAfter, type LogStretch } from './where-to-begin.ts';

/** Where a restore finds the log: as in the data folder it goes to. */
const FOLDER = 'pg_wal';
const MICROSECONDS = 1000n;

interface StoredFile {
  readonly path: string;
  readonly content: StoredHandle;
}

export class LogBackup {
  readonly #spec: PostgresSpec;
  readonly #writer: BackupWriter;
  readonly #options: LogBackupOptions;
  readonly #connection: ReplicationConnection;
  readonly #meter: ProgressMeter;
  readonly #now: () => Date;
  readonly #files: StoredFile[] = [];
  #bytes = 0;
  #warnings = 0;

  /** @param connection is left for the caller to close */
  constructor(
    spec: PostgresSpec,
    writer: BackupWriter,
    options: LogBackupOptions,
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
    const settings = await readSettings(this.#connection);
    const system = await identifySystem(this.#connection);
    const history =
      system.timeline === 1 ? undefined : await readTimelineHistory(this.#connection, system.timeline);
    const switches = history === undefined ? [] : parseTimelineHistory(history.content);
    const stretch = stretchAfter(BigInt(this.#options.start), this.#options.fork, system.timeline, switches);
    if (history !== undefined) await this.#storeText(history.fileName, history.content);
    const target = latest(stretch.end ?? system.position, stretch.start) ?? stretch.start;
    const { commits, quietAt } = await this.#read(stretch, target, settings);
    await this.#addAll();
    this.#meter.finish();
    const asOf = latest(commits.last?.at, quietAt);
    return {
      files: this.#files.length,
      bytes: this.#bytes,
      filesRead: this.#files.length,
      bytesRead: this.#bytes,
      unchanged: 0,
      warnings: this.#warnings,
      summary: {
        // Nothing is known of when nothing was committed and the server said nothing: then nothing is promised.
        asOf: new Date(Number((asOf ?? 0n) / MICROSECONDS)),
        position: {
          start: stretch.start.toString(),
          end: target.toString(),
          ...stretch.fork,
        },
        driverDetails: {
          systemIdentifier: system.systemIdentifier,
          serverVersion: settings.version,
          timeline: stretch.timeline,
          startLsn: formatLsn(stretch.start),
          endLsn: formatLsn(target),
          walSegmentSize: Number(settings.walSegmentSize),
          commits: commits.count,
          ...commitDetails('first', commits.first),
          ...commitDetails('last', commits.last),
        },
      },
    };
  }

  /** Reads from the start of the segment that the stretch begins in, so that every file is whole from its beginning. */
  async #stream(stretch: LogStretch, target: bigint, settings: ServerSettings) {
    const { walSegmentSize: size } = settings;
    const from = segmentStart(stretch.start, size);
    const slot = await this.#slot(settings);
    const scanner = new CommitScanner(from, size);
    const stream = await WalStream.begin(this.#connection, {
      ...{ position: from, timeline: stretch.timeline },
      ...(slot === undefined ? {} : { slot }),
    });
    const flow = new LogFlow(stream, from, target);
    for (let at = from; at < target; at += size) {
      this.#options.signal?.throwIfAborted();
      const bytes = scanned(flow.until(at + size), scanner);
      // Nothing new: it is only heard until when there was nothing.
      if (target === stretch.start) while ((await bytes.next()).done !== true);
      else await this.#storeSegment(segmentName(stretch.timeline, at, size), size, bytes);
    }
    await flow.end();
    return { commits: scanner.commits, quietAt: flow.quietAt };
  }

  /** What the server no longer has it may say at once, or only when it comes to send it. */
  async #read(stretch: LogStretch, target: bigint, settings: ServerSettings) {
    try {
      return await this.#stream(stretch, target, settings);
    } catch (error) {
      throw this.#lost(error, stretch.start);
    }
  }

  /** The slot to read through; a copy-only log touches none. One that was let go is made anew, and the log read without. */
  async #slot(settings: ServerSettings): Promise<string | undefined> {
    const { collection, copyOnly } = this.#options;
    const { log } = this.#spec;
    if (log?.hold !== 'slot' || copyOnly) return undefined;
    const held = await readHold(this.#connection, collection);
    if (held?.restartPosition !== undefined) return slotOf(collection);
    await holdLog(this.#connection, settings, { collection, unbounded: log.unbounded });
    this.#warn(
      'postgres.slotMadeAnew',
      `The slot ${slotOf(collection)} ${held === undefined ? 'was not there' : 'had lost what it held'} and was made anew. What was not backed up then may be lost.`,
    );
    return undefined;
  }

  /** The server says it does not have the log any more: a gap, by name. */
  #lost(error: unknown, start: bigint): unknown {
    const said = error instanceof CatenaError ? error.details?.['said'] : undefined;
    if (typeof said !== 'string') return error;
    if (!/has already been removed|can no longer access replication slot/.test(said)) return error;
    return new HistoryLostError(
      this.#spec.log?.hold === 'slot' ? 'slotLost' : 'recycled',
      `The PostgreSQL server at ${shownAddress(this.#connection.address)} no longer has its log from ${formatLsn(start)} on (${said}).`,
      'The next data backup begins the log chain again. Let the server keep more: a larger max_slot_wal_keep_size or wal_keep_size, or more frequent log backups.',
    );
  }

  async #storeSegment(name: string, size: bigint, bytes: AsyncGenerator<Buffer, void, void>): Promise<void> {
    const path = `${FOLDER}/${name}`;
    const content = { read: { sizeHint: size, open: () => bytes } };
    this.#keep(path, await this.#writer.store(content, this.#entry(path, size)));
  }

  async #storeText(name: string, text: string): Promise<void> {
    const bytes = Buffer.from(text);
    const open = async function* () {
      yield await Promise.resolve(bytes);
    };
    const path = `${FOLDER}/${name}`;
    const entry = this.#entry(path, BigInt(bytes.length));
    this.#keep(path, await this.#writer.store({ read: { sizeHint: entry.size, open } }, entry));
  }

  #keep(path: string, content: StoredHandle): void {
    this.#files.push({ path, content });
    this.#bytes += Number(content.size);
    this.#meter.add(1, Number(content.size), byteStringOf(Buffer.from(path)));
  }

  async #addAll(): Promise<void> {
    for (const path of ['', FOLDER]) await this.#writer.add(this.#entry(path, undefined));
    const inOrder = this.#files.toSorted((a, b) => comparePaths(Buffer.from(a.path), Buffer.from(b.path)));
    for (const { path, content } of inOrder)
      await this.#writer.add(this.#entry(path, content.size), { stored: content });
  }

  /** Files of a server have no identity of their own out here. */
  #entry(path: string, size: bigint | undefined): Entry {
    const now = BigInt(this.#now().getTime()) * 1_000_000n;
    return {
      path: Buffer.from(path),
      kind: size === undefined ? 'folder' : 'file',
      mode: size === undefined ? 0o700 : 0o600,
      ...{ uid: 0, gid: 0, mtime: now, ctime: now, inode: 0n, device: 0n, size: size ?? 0n },
    };
  }

  #warn(code: string, message: string): void {
    this.#warnings += 1;
    this.#writer.warn({ path: Buffer.alloc(0), code, message });
  }
}

async function* scanned(
  pieces: AsyncIterable<Buffer>,
  scanner: CommitScanner,
): AsyncGenerator<Buffer, void, void> {
  for await (const piece of pieces) {
    scanner.push(piece);
    yield piece;
  }
}

function commitDetails(which: 'first' | 'last', commit: { at: bigint; position: bigint } | undefined) {
  if (commit === undefined) return {};
  return { [`${which}CommitAt`]: commit.at.toString(), [`${which}CommitLsn`]: formatLsn(commit.position) };
}

function latest(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}
