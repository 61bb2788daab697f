import { CatenaError } from '@catena/events';
import { z } from 'zod';
import { eventHash } from '../record/event-hash.ts';
import type { StoredEvent } from '../record/stored-event.ts';

/**
 * An exported log: lines of JSON, compressed with zstd. The first line is the header, the last one the trailer, between
 * them one line for each event in the order of the log. `docs/log-export-format.md` describes it for strangers.
 */
export const EXPORT_FORMAT = 'catena-log';
export const EXPORT_VERSION = 1;

export const exportHeader = z.object({
  format: z.literal(EXPORT_FORMAT),
  version: z.literal(EXPORT_VERSION),
  exportedAt: z.string(),
  from: z.number().int().positive(),
});

export const exportTrailer = z.object({
  end: z.literal(true),
  events: z.number().int().nonnegative(),
  last: z.number().int().nonnegative(),
  digest: z.string(),
});
export type ExportTrailer = z.infer<typeof exportTrailer>;

const exportedEvent = z.object({
  sequence: z.number().int().positive(),
  storedAt: z.string(),
  hash: z.string(),
  subject: z.string(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  data: z.string().optional(),
  dataBase64: z.string().optional(),
});

/** A file that is not a whole export, or was changed. Nothing of it was used. */
export class ExportDamagedError extends CatenaError {
  constructor(why: string, details: Record<string, unknown> = {}, cause?: unknown) {
    super('event-log.export-damaged', `The export of the log is damaged: ${why}.`, {
      remedy: 'Use another export, or another copy of this one.',
      details,
      cause,
    });
  }
}

export function eventToLine(event: StoredEvent): string {
  const { sequence, storedAt, subject, headers, data } = event;
  return JSON.stringify({ sequence, storedAt, hash: eventHash(event), subject, headers, ...dataField(data) });
}

/** @throws ExportDamagedError when the line is no event, or its hash is not its own. */
export function eventFromLine(line: unknown): StoredEvent {
  const parsed = exportedEvent.safeParse(line);
  if (!parsed.success) throw new ExportDamagedError(`a line is no event: ${z.prettifyError(parsed.error)}`);
  const { sequence, storedAt, subject, headers, hash, data, dataBase64 } = parsed.data;
  const bytes =
    dataBase64 === undefined ? Buffer.from(data ?? '', 'utf8') : Buffer.from(dataBase64, 'base64');
  const event: StoredEvent = { sequence, storedAt, subject, headers, data: bytes };
  if (eventHash(event) !== hash) {
    throw new ExportDamagedError(`event ${sequence} is not what was exported: its hash is another`, {
      sequence,
    });
  }
  return event;
}

/** Data is JSON and so text; bytes that are not stay exact all the same. */
function dataField(data: Uint8Array): { data: string } | { dataBase64: string } {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? { data: text } : { dataBase64: bytes.toString('base64') };
}
