import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createZstdCompress } from 'node:zlib';
import type { EventLog } from '../port/event-log.ts';
import { GapCheck } from '../record/gap-check.ts';
import { EXPORT_FORMAT, EXPORT_VERSION, eventToLine, type ExportTrailer } from './export-format.ts';
import type { WalkOptions } from './verify-log.ts';

export interface ExportOptions extends WalkOptions {
  /** First sequence wanted; default 1. An import needs everything before it from other exports. */
  readonly from?: number;
  /** ISO 8601 instant for the header. */
  readonly exportedAt: string;
}

/** How often progress is told, in events. */
const TELL_EVERY = 1_000;

/**
 * The log as compressed bytes, to be written to a file. It is complete when the iteration ends without an error; a
 * file that was cut short shows as damaged when it is read.
 * @throws LogGapError, because an export with holes would pass for a log.
 */
export function exportLog(log: EventLog, options: ExportOptions): AsyncIterable<Uint8Array> {
  const compress = createZstdCompress();
  const lines = Readable.from(exportLines(log, options));
  lines.on('error', (error) => compress.destroy(error));
  compress.on('close', () => lines.destroy());
  return lines.pipe(compress) as AsyncIterable<Uint8Array>;
}

async function* exportLines(log: EventLog, options: ExportOptions): AsyncGenerator<string> {
  const from = options.from ?? 1;
  const digest = createHash('sha256');
  const line = (text: string) => {
    const whole = `${text}\n`;
    digest.update(whole);
    return whole;
  };
  const { exportedAt } = options;
  yield line(JSON.stringify({ format: EXPORT_FORMAT, version: EXPORT_VERSION, exportedAt, from }));
  const gaps = new GapCheck(from);
  let events = 0;
  let last = from - 1;
  for await (const stored of log.readStored({
    from,
    ...(options.signal ? { signal: options.signal } : {}),
  })) {
    gaps.accept(stored.sequence);
    yield line(eventToLine(stored));
    last = stored.sequence;
    events += 1;
    if (events % TELL_EVERY === 0) options.onProgress?.(last);
  }
  options.onProgress?.(last);
  const trailer: ExportTrailer = { end: true, events, last, digest: digest.digest('base64url') };
  yield `${JSON.stringify(trailer)}\n`;
}
