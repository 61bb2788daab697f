import { CatenaError } from '@catena/events';
import type { EventLog } from '../port/event-log.ts';
import { eventHash } from '../record/event-hash.ts';
import { MAX_EVENTS_PER_APPEND } from '../record/prepare-append.ts';
import type { StoredEvent } from '../record/stored-event.ts';
import { readExport, type OpenExport } from './read-export.ts';
import type { WalkOptions } from './verify-log.ts';

/** What an import did. */
export interface LogImport {
  /** Events that were written. */
  readonly imported: number;
  /** Events that the log had already, the same as in the export. */
  readonly present: number;
  readonly last: number;
}

/** Bytes of data that go together at most, so that a batch stays small in memory and on the wire. */
const BATCH_BYTES = 4 * 1024 * 1024;

/**
 * Brings an exported log back: into an empty log, or into one that is the beginning of the export, as an import that
 * was broken off leaves it. Sequences, ids, times and hashes stay what they were. The whole export is checked before
 * the first event is written.
 * @throws CatenaError `event-log.import-elsewhere` when the log has other events; ExportDamagedError, LogGapError or
 * BrokenChainError when the export is not whole.
 */
export async function importLog(
  log: EventLog,
  open: OpenExport,
  options: WalkOptions = {},
): Promise<LogImport> {
  const { present } = await compareWhole(log, open, options.signal);
  let batch: StoredEvent[] = [];
  let bytes = 0;
  let imported = 0;
  let last = present;
  const write = async () => {
    if (batch.length === 0) return;
    await log.restoreStored(batch);
    imported += batch.length;
    options.onProgress?.(last);
    batch = [];
    bytes = 0;
  };
  for await (const event of readExport(open())) {
    options.signal?.throwIfAborted();
    if (event.sequence <= present) continue;
    batch.push(event);
    bytes += event.data.byteLength;
    last = event.sequence;
    if (batch.length === MAX_EVENTS_PER_APPEND || bytes >= BATCH_BYTES) await write();
  }
  await write();
  return { imported, present, last };
}

/** The first pass: the export is whole, and the log is its beginning. */
async function compareWhole(
  log: EventLog,
  open: OpenExport,
  signal: AbortSignal | undefined,
): Promise<{ present: number }> {
  const { differences, onlyInLog, last } = await compareLogWithExport(log, open, signal ? { signal } : {});
  const [first] = differences;
  if (first !== undefined || onlyInLog > 0) {
    throw new CatenaError(
      'event-log.import-elsewhere',
      first === undefined
        ? `The log has ${onlyInLog} more events than the export, up to ${last}.`
        : `The log has another event ${first} than the export.`,
      {
        remedy:
          'Import into an empty log: set up a new NATS server, or delete the stream as its administrator.',
      },
    );
  }
  return { present: last };
}

/** How a log and an export compare. */
export interface LogComparison {
  /** Events that are in both and the same. */
  readonly same: number;
  /** Sequences with another event in the log; the first 100. */
  readonly differences: readonly number[];
  readonly differenceCount: number;
  /** Events of the export that are beyond the end of the log. */
  readonly onlyInExport: number;
  /** Events of the log that are beyond the end of the export, as is usual for an older export, or before its begin. */
  readonly onlyInLog: number;
  /** Sequence of the log's last event. */
  readonly last: number;
}

const LISTED = 100;

/**
 * Compares a log with an export of it, event by event.
 * @throws ExportDamagedError, LogGapError, BrokenChainError when the export is not whole.
 */
export async function compareLogWithExport(
  log: EventLog,
  open: OpenExport,
  options: WalkOptions = {},
): Promise<LogComparison> {
  const stored = log.readStored(options.signal ? { signal: options.signal } : {})[Symbol.asyncIterator]();
  const next = async () => {
    const step = await stored.next();
    return step.done === true ? undefined : step.value;
  };
  const differences: number[] = [];
  let [same, differenceCount, onlyInExport, onlyInLog, last] = [0, 0, 0, 0, 0];
  let ours = await next();
  const advance = async () => {
    last = ours?.sequence ?? last;
    ours = await next();
  };
  try {
    for await (const theirs of readExport(open())) {
      options.signal?.throwIfAborted();
      for (; ours && ours.sequence < theirs.sequence; await advance()) onlyInLog += 1;
      if (!ours) {
        onlyInExport += 1;
        continue;
      }
      if (ours.sequence === theirs.sequence && eventHash(ours) === eventHash(theirs)) same += 1;
      else {
        differenceCount += 1;
        if (differences.length < LISTED) differences.push(theirs.sequence);
      }
      if (ours.sequence === theirs.sequence) await advance();
    }
    for (; ours; await advance()) onlyInLog += 1;
  } finally {
    await stored.return?.();
  }
  return { same, differences, differenceCount, onlyInExport, onlyInLog, last };
}
