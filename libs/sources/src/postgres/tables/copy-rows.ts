/** Moves rows from one server to the other as they are, without looking at them. */
import type { Command, Wire } from '../wire/command.ts';
import type { SqlSession } from './sql-session.ts';

/** Rows come one to a message; sending each by itself would cost more than the rows. */
const BATCH_BYTES = 64 * 1024;

export interface CopiedRows {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Streams what one command gives into the other; neither side is ever ahead by more than a few MiB.
 * @param read a `COPY … TO STDOUT`
 * @param write a `COPY … FROM STDIN` of the same columns and format
 * @throws Error when the two sides do not agree how many rows that were; and what the servers say.
 */
export async function copyRows(
  from: SqlSession,
  read: string,
  to: SqlSession,
  write: string,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<CopiedRows> {
  const out = from.begin(read);
  await out.copying;
  const into = to.begin(write);
  await into.copying;
  // Rows that the target refuses end it while there is more to send.
  const refused = new AbortController();
  into.done.catch(() => refused.abort());
  let bytes = 0;
  let batch: Buffer[] = [];
  let waiting = 0;
  const send = async () => {
    if (waiting === 0) return;
    into.wire.sendCopyFromChunk(Buffer.concat(batch, waiting));
    onBytes(waiting);
    bytes += waiting;
    batch = [];
    waiting = 0;
    await drained(into.wire, refused.signal);
  };
  for await (const arrival of out.inflow) {
    if (arrival.kind !== 'data') continue;
    batch.push(arrival.bytes);
    waiting += arrival.bytes.length;
    if (waiting >= BATCH_BYTES) await send();
    if (refused.signal.aborted) await into.done;
  }
  await send();
  const given = await rowsOf(out);
  into.wire.endCopyFrom();
  const taken = await rowsOf(into);
  if (given !== taken) throw new Error(`${given} rows were given and ${taken} were taken`);
  return { rows: taken, bytes };
}

/** Resolves when the target takes more, or will never. */
async function drained({ stream }: Wire, refused: AbortSignal): Promise<void> {
  if (!stream.writableNeedDrain || refused.aborted) return;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const go = () => resolve(undefined);
  stream.once('drain', go).once('close', go);
  refused.addEventListener('abort', go, { once: true });
  await promise;
  stream.off('drain', go).off('close', go);
  refused.removeEventListener('abort', go);
}

/** From the tag of a command that has copied, e.g. `COPY 42`. */
async function rowsOf(command: Command): Promise<number> {
  const { tags } = await command.done;
  return Number(/^COPY (\d+)$/.exec(tags.at(-1) ?? '')?.[1]);
}
