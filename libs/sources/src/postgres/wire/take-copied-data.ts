import type pg from 'pg';
import { FrameSplitter, type CopyTaker } from './frame-splitter.ts';
import { giveBack, isReusing } from './reusing-socket.ts';

/**
 * Puts a splitter between a client's socket and the parser of `pg`. To be called while the server owes no answer: then no
 * message is cut here.
 *
 * @param taker whom copied data is for now
 * @param keeps whether it keeps what it is given; else the memory is used again
 */
export function takeCopiedData(
  client: pg.Client,
  taker: () => CopyTaker | undefined,
  { keeps }: { readonly keeps: boolean },
): void {
  const { stream } = client.connection;
  const [parse, another] = stream.listeners('data');
  if (parse === undefined || another !== undefined)
    throw new Error('pg does not read its socket as it is known to.');
  // The parser keeps the beginning of a message until it is whole.
  const pass = (bytes: Buffer) => void parse.call(stream, keeps ? bytes : Buffer.from(bytes));
  const splitter = new FrameSplitter(pass, taker);
  const reuses = !keeps && isReusing(stream);
  if (reuses) stream.reuses = true;
  stream.on('data', (chunk: Buffer) => {
    splitter.push(chunk);
    if (!keeps && !reuses) giveBack(chunk);
  });
  stream.off('data', parse as (chunk: Buffer) => void);
}
