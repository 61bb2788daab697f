import type pg from 'pg';
import { FrameSplitter, type CopyTaker } from './frame-splitter.ts';

/**
 * Puts a splitter between a client's socket and the parser of `pg`. To be called while the server owes no answer: then no
 * message is cut here.
 *
 * @param taker whom copied data is for now
 */
export function takeCopiedData(client: pg.Client, taker: () => CopyTaker | undefined): void {
  const { stream } = client.connection;
  const [parse, another] = stream.listeners('data');
  if (parse === undefined || another !== undefined)
    throw new Error('pg does not read its socket as it is known to.');
  const splitter = new FrameSplitter((bytes) => void parse.call(stream, bytes), taker);
  stream.on('data', (chunk: Buffer) => splitter.push(chunk));
  stream.off('data', parse as (chunk: Buffer) => void);
}
