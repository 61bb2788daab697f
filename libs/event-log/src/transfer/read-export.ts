import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { createZstdDecompress } from 'node:zlib';
import { ChainCheck } from '../record/chain-check.ts';
import { GapCheck } from '../record/gap-check.ts';
import type { StoredEvent } from '../record/stored-event.ts';
import { eventFromLine, ExportDamagedError, exportHeader, exportTrailer } from './export-format.ts';
import { linkOf } from './verify-log.ts';

/** The bytes of an export; opened anew for each pass over it. */
export type OpenExport = () => AsyncIterable<Uint8Array>;

/**
 * The events of an export, each with its hash, its place and its chain checked. That the export is whole and
 * unchanged is known only when the iteration has ended.
 * @throws ExportDamagedError, LogGapError, BrokenChainError
 */
export async function* readExport(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<StoredEvent> {
  const digest = createHash('sha256');
  let checks: { chain: ChainCheck; gaps: GapCheck } | undefined;
  let events = 0;
  let last = 0;
  let ended = false;
  for await (const text of linesOf(bytes)) {
    if (ended) throw new ExportDamagedError('something follows its last line');
    const line = parseLine(text, events);
    if (!checks) {
      const header = exportHeader.safeParse(line);
      if (!header.success)
        throw new ExportDamagedError('its first line is not the header of an exported log');
      const { from } = header.data;
      checks = { chain: new ChainCheck({ complete: from === 1 }), gaps: new GapCheck(from) };
      last = from - 1;
    } else if (isTrailer(line)) {
      const { events: wanted, last: end, digest: whole } = exportTrailer.parse(line);
      if (wanted !== events || end !== last || whole !== digest.copy().digest('base64url')) {
        throw new ExportDamagedError('its last line does not belong to the others', { events, last });
      }
      ended = true;
    } else {
      const event = eventFromLine(line);
      checks.gaps.accept(event.sequence);
      checks.chain.accept(linkOf(event));
      events += 1;
      last = event.sequence;
      yield event;
    }
    digest.update(`${text}\n`);
  }
  if (!ended) throw new ExportDamagedError('it ends before its last line', { events, last });
}

async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decompress = createZstdDecompress();
  const source = Readable.from(bytes);
  let unreadable: Error | undefined;
  source.on('error', (error) => {
    unreadable = error;
    decompress.destroy(error);
  });
  const text = new StringDecoder('utf8');
  let rest = '';
  try {
    for await (const chunk of source.pipe(decompress) as AsyncIterable<Buffer>) {
      const lines = (rest + text.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (thrown) {
    throw thrown === unreadable ? thrown : new ExportDamagedError('it cannot be decompressed', {}, thrown);
  } finally {
    source.destroy();
    decompress.destroy();
  }
  if (rest !== '') throw new ExportDamagedError('its last line is cut short');
}

function parseLine(text: string, events: number): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new ExportDamagedError(`the line after ${events} events is not JSON`, { events }, thrown);
  }
}

function isTrailer(line: unknown): boolean {
  return typeof line === 'object' && line !== null && 'end' in line;
}
