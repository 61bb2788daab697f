import { CatenaError } from '@catena/events';
import { readableBytes } from '../codec/readable-bytes.ts';

/** Entries must come in canonical order, each once: what is sorted can be merged without being held in memory. */
export class EntryOrderError extends CatenaError {
  constructor(path: string, previous: string) {
    super('vault.entry-order', `entry ${path} came after ${previous}, but belongs before it or is the same`, {
      remedy: 'this is a defect of the source driver; report it',
      details: { path, previous },
    });
  }
}

/** Content may only be taken over from the backup that the new one descends from. */
export class ForeignContentError extends CatenaError {
  constructor(path: string) {
    super('vault.foreign-content', `the content of ${path} was not read from the parent of this backup`, {
      remedy: 'this is a defect of the source driver; report it',
      details: { path },
    });
  }
}

/** What was asked of a backup does not fit its type or its lineage. */
export class BackupRefusedError extends CatenaError {
  constructor(backup: string, rule: string, remedy: string) {
    super('vault.backup-refused', `backup ${backup}: ${rule}`, { remedy, details: { backup } });
  }
}

/** Changes must be whole blocks in the file's order, and what they change must be cut into fixed blocks. */
export class ChangesMalformedError extends CatenaError {
  constructor(path: Uint8Array, offset: bigint, length: number, rule: string) {
    const file = readableBytes(path);
    super('vault.changes-malformed', `changes of ${file} at ${offset} (${length} bytes) ${rule}`, {
      remedy: 'this is a defect of the source driver; report it',
      details: { path: file, offset: String(offset), length },
    });
  }
}
