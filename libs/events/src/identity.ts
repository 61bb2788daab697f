import { hash, randomBytes } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

function base32(bytes: Uint8Array, characters: number): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5 && text.length < characters) {
      bits -= 5;
      text += ALPHABET.charAt((value >>> bits) & 31);
      value &= (1 << bits) - 1;
    }
  }
  return text;
}

/** 20 characters (100 bits) that depend on nothing but the parts. Parts are length-prefixed, so no two lists collide by joining. */
export function digestId(...parts: readonly string[]): string {
  let text = '';
  for (const part of parts) text += `${Buffer.byteLength(part)}:${part}`;
  return base32(hash('sha256', text, 'buffer'), 20);
}

/** A fresh id for a command or a thing that a person made; the only place where chance enters. */
export function freshId(): string {
  return base32(randomBytes(13), 20);
}

/**
 * The id of a scheduled run: schedule uid, cadence and nominal instant (architecture.md section 2), so that firing
 * exactly once is "expect nothing on this run's subjects".
 */
export function scheduledRunId(scheduleUid: string, cadence: string, nominal: string): string {
  return `run-${digestId('run', scheduleUid, cadence, nominal)}`;
}

/** The id of a run that a person asked for: one command gives one run, however often it is sent. */
export function commandedRunId(commandId: string): string {
  return `run-${digestId('command', commandId)}`;
}

/**
 * The id of a prune: the collection as it stood, and the day on which it was asked for. One decision asks once, and what
 * a prune could not delete is asked for again the next day.
 */
export function pruneRunId(collection: string, sequence: number, day: string): string {
  return `run-${digestId('prune', collection, String(sequence), day)}`;
}

/**
 * The id of a sweep: the repository, the sequence of the event since which something may have been left in it, and the
 * day on which it was asked for.
 */
export function sweepRunId(repositoryUid: string, sequence: number, day: string): string {
  return `run-${digestId('sweep', repositoryUid, String(sequence), day)}`;
}

/** A backup's name belongs to its run (architecture.md section 5): one run makes at most one backup. */
export function backupIdOfRun(runId: string): string {
  return `bkp-${runId.replace(/^run-/, '')}`;
}

/** A collection is one source in one repository. */
export function collectionIdOf(sourceUid: string, repositoryUid: string): string {
  return `col-${digestId('collection', sourceUid, repositoryUid)}`;
}

/** The aggregate id of a definition: kind and name, which together are unique at any time. */
export function definitionId(kind: string, name: string): string {
  return `${kind.toLowerCase()}-${name}`;
}
