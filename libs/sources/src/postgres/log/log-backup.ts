/** One log backup of a cluster: the write-ahead log between two positions, segment by segment, byte for byte. */
import { createReadStream } from 'node:fs';
import { CatenaError } from '@catena/events';
import type { BackupWriter } from '@catena/vault';
import { ProgressMeter } from '../../files/progress-meter.ts';
import { HistoryLostError } from '../../port/history-lost-error.ts';
import { SourceError } from '../../port/source-error.ts';
import type { BackupOutcome, LogBackupOptions } from '../../port/source-driver.ts';
import { parseTimelineHistory } from '../cluster/fork.ts';
import type { PostgresSpec } from '../postgres-spec.ts';
import { shownAddress } from '../wire/address.ts';
import type { ReplicationConnection } from '../wire/connection.ts';
import { WalSpool } from '../spool/wal-spool.ts';
import { formatLsn, segmentName, segmentStart } from '../wire/lsn.ts';
import {
  identifySystem,
  readSettings,
  readTimelineHistory,
  type ServerSettings,
  type SystemIdentity,
} from '../wire/system.ts';
import { CommitScanner } from './commit-scanner.ts';
import { streamThroughHold } from './held-log.ts';
import { LiveFlow } from './live-flow.ts';
import { LOG_FOLDER, LogFiles, partName, SEGMENTS_FILE } from './log-files.ts';
import { LogFlow } from './log-flow.ts';
import { latest, segmentsText, summaryOf, type LogRead } from './log-summary.ts';
import { SpoolFlow } from './spool-flow.ts';
import { storeWhileReading } from '../store-while-reading.ts';
import { stretchAfter, type LogStretch } from './where-to-begin.ts';

/** Segments that may still be on their way to the repository while the next is read. */
const SEGMENTS_AHEAD = 2;

type Flow = LogFlow | LiveFlow | SpoolFlow;

export class LogBackup {
  readonly #spec: PostgresSpec;
  readonly #writer: BackupWriter;
  readonly #options: LogBackupOptions;
  readonly #connection: ReplicationConnection;
  readonly #meter: ProgressMeter;
  readonly #files: LogFiles;
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
    this.#files = new LogFiles(writer, this.#meter, now);
  }

  async run(): Promise<BackupOutcome> {
    const settings = await readSettings(this.#connection);
    const system = await identifySystem(this.#connection);
    const history =
      system.timeline === 1 ? undefined : await readTimelineHistory(this.#connection, system.timeline);
    const switches = history === undefined ? [] : parseTimelineHistory(history.content);
    const stretch = stretchAfter(BigInt(this.#options.start), this.#options.fork, system.timeline, switches);
    if (history !== undefined)
      await this.#files.storeText(`${LOG_FOLDER}/${history.fileName}`, history.content);
    const read =
      this.#spec.log?.hold === 'push'
        ? await this.#readSpool(this.#spec.log.spool, stretch, system.timeline, settings)
        : await this.#read(stretch, system, settings);
    const { segments } = read.found;
    if (segments.length > 0) {
      const text = segmentsText(stretch.timeline, settings.walSegmentSize, segments);
      await this.#files.storeText(SEGMENTS_FILE, text);
    }
    await this.#files.addAll();
    this.#meter.finish();
    const { count, bytes } = this.#files;
    return {
      files: count,
      bytes,
      filesRead: count,
      bytesRead: bytes,
      unchanged: 0,
      warnings: this.#warnings,
      summary: summaryOf(stretch, read, { ...system, settings }),
    };
  }

  /** What the server pushed. What was recorded before goes, all but its last segment. */
  async #readSpool(
    folder: string,
    stretch: LogStretch,
    newest: number,
    { walSegmentSize: size }: ServerSettings,
  ): Promise<LogRead> {
    const { copyOnly, stream: seal, signal } = this.#options;
    const spool = new WalSpool(folder);
    const from = segmentStart(stretch.start, size);
    // The segment before is kept: a record that begins in it and ends in the next is to be understood.
    const behind = stretch.start === from ? from - size : from;
    if (!copyOnly) await spool.release(behind, size);
    const nextTimeline = stretch.timeline === newest ? undefined : newest;
    const flow = await SpoolFlow.begin(spool, {
      ...{ stretch, from, segmentSize: size, nextTimeline, seal, signal },
    });
    const before = segmentName(stretch.timeline, behind, size);
    const isThere = behind < from && flow.end > stretch.start && (await spool.names()).includes(before);
    const scanner = new CommitScanner(isThere ? behind : from, size, stretch.start);
    if (isThere) for await (const piece of createReadStream(spool.at(before))) scanner.push(piece as Buffer);
    await this.#storeAll(flow, stretch, size, scanner, flow.end === stretch.start);
    return { end: flow.end, found: scanner, quietAt: undefined };
  }

  /** What the server no longer has it may say at once, or only when it comes to send it. */
  async #read(stretch: LogStretch, system: SystemIdentity, settings: ServerSettings): Promise<LogRead> {
    try {
      return await this.#stream(stretch, system, settings);
    } catch (error) {
      throw this.#lost(error, stretch.start);
    }
  }

  /** Reads from the start of the segment that the stretch begins in: records are understood from there on. */
  async #stream(stretch: LogStretch, system: SystemIdentity, settings: ServerSettings): Promise<LogRead> {
    const { walSegmentSize: size } = settings;
    const from = segmentStart(stretch.start, size);
    const scanner = new CommitScanner(from, size, stretch.start);
    const { stream, isHeld, warning } = await streamThroughHold(this.#connection, settings, {
      ...{ position: from, timeline: stretch.timeline, signal: this.#options.signal },
      ...(this.#options.copyOnly ? {} : { hold: this.#holdOf() }),
    });
    if (warning !== undefined) this.#warn('postgres.slotMadeAnew', warning);
    const { stream: seal } = this.#options;
    const target = latest(stretch.end ?? system.position, stretch.start);
    // The catalog begins a log where the one before it ended that it has recorded.
    if (isHeld && seal !== undefined) stream.reportFlushed(stretch.start);
    const flow: Flow =
      seal === undefined
        ? new LogFlow(stream, from, target)
        : new LiveFlow(stream, { from, start: stretch.start, serverEnd: system.position, seal });
    try {
      await this.#storeAll(flow, stretch, size, scanner, seal === undefined && target === stretch.start);
      const end = understood(scanner, seal === undefined ? target : this.#endOf(flow, stretch), stretch);
      const { quietAt } = flow;
      await flow.end();
      return { end, found: scanner, quietAt };
    } finally {
      if (flow instanceof LiveFlow) flow.give();
    }
  }

  /** @param nothingNew it is only heard until when there was nothing */
  async #storeAll(
    flow: Flow,
    stretch: LogStretch,
    size: bigint,
    scanner: CommitScanner,
    nothingNew: boolean,
  ): Promise<void> {
    const { timeline, start } = stretch;
    const storing: Promise<void>[] = [];
    for (let at = flow.position; !flow.isOver; at += size) {
      this.#options.signal?.throwIfAborted();
      const known = at < start && this.#hasWhatComesBefore(stretch) ? start - at : 0n;
      const bytes = await begun(without(known, scanned(flow.until(at + size), scanner)));
      if (bytes === undefined) continue;
      if (nothingNew) {
        for await (const _ of bytes);
        continue;
      }
      const name = partName(segmentName(timeline, at, size), known);
      const { stored } = await storeWhileReading(bytes, (pieces) =>
        this.#files.storeSegment(name, size, pieces),
      );
      storing.push(stored);
      if (storing.length > SEGMENTS_AHEAD) await storing.shift();
    }
    await Promise.all(storing);
  }

  /** A log that is sealed every few seconds would store the same segment again and again. */
  #hasWhatComesBefore({ start, fork }: LogStretch): boolean {
    const { stream, start: place, fork: known } = this.#options;
    return (
      stream !== undefined &&
      this.#spec.log?.hold !== 'push' &&
      place === start.toString() &&
      known === fork.fork
    );
  }

  #endOf({ position }: Flow, { start }: LogStretch): bigint {
    if (position >= start) return position;
    throw new SourceError(
      'source.commandFailed',
      `The PostgreSQL server at ${shownAddress(this.#connection.address)} gave its log up to ${formatLsn(position)} only; up to ${formatLsn(start)} it was backed up before.`,
      {
        remedy:
          'If it is a standby that lags behind, it is tried again. If it lost data, take a full backup.',
        retryable: true,
      },
    );
  }

  #holdOf() {
    const { log } = this.#spec;
    if (log?.hold !== 'slot') return undefined;
    return { collection: this.#options.collection, unbounded: log.unbounded };
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

  #warn(code: string, message: string): void {
    this.#warnings += 1;
    this.#writer.warn({ path: Buffer.alloc(0), code, message });
  }
}

/** Where the next log begins: it must see the beginning of every record that is not there to its end yet. */
function understood(scanner: CommitScanner, end: bigint, { start }: LogStretch): bigint {
  return latest(scanner.understoodUntil(end), start);
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

/** All but the first so many bytes. */
async function* without(count: bigint, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  let left = Number(count);
  for await (const piece of pieces) {
    if (left < piece.length) yield left === 0 ? piece : piece.subarray(left);
    left = Math.max(0, left - piece.length);
  }
}

/** The same pieces, once there is a first; undefined when there are none. */
async function begun(
  pieces: AsyncGenerator<Buffer, void, void>,
): Promise<AsyncGenerator<Buffer, void, void> | undefined> {
  const first = await pieces.next();
  if (first.done === true) return undefined;
  return (async function* () {
    yield first.value;
    yield* pieces;
  })();
}
