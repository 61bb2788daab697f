import { createHash } from 'node:crypto';

/** What a name in PostgreSQL may have; the server cuts off what is longer. In bytes. */
const NAME_BYTES = 63;
const RUN_DIGITS = 12;
/** What such a name looks like: a regular expression, for the server too. */
export const STAGED_NAME = `-catena-[0-9a-f]{${RUN_DIGITS}}$`;

/** The name a database is made under until it is whole: the same for all attempts of a run, whatever it will be called. */
export function stagedName(database: string, run: string): string {
  const suffix = `-catena-${createHash('sha256').update(run).digest('hex').slice(0, RUN_DIGITS)}`;
  let kept = '';
  for (const character of database) {
    if (Buffer.byteLength(kept + character + suffix) > NAME_BYTES) break;
    kept += character;
  }
  return kept + suffix;
}
