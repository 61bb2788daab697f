import { CatenaError } from '@catena/events';

export interface Damage {
  /** Object name in the repository. */
  readonly object: string;
  /** First byte of the part that is damaged; absent when it concerns the whole object. */
  readonly offset?: number;
  readonly length?: number;
  readonly reason:
    | 'missing'
    | 'truncated'
    | 'checksum'
    | 'header'
    | 'malformed'
    | 'wrong place'
    | 'content differs from its hash';
  /** Ids of backups that are known to need the damaged part. */
  readonly backups: readonly string[];
  /** Paths that are known to need it, as text for people (bytes that are not UTF-8 appear as `\xNN`). */
  readonly files: readonly string[];
  /** Further files that are hit and not named in `files`, when there are very many. */
  readonly moreFiles?: number;
}

/**
 * Something read from the repository is not what was written there. Never retried by itself: the bytes are wrong,
 * not the moment.
 */
export class DamagedObjectError extends CatenaError {
  readonly damage: Damage;

  constructor(damage: Damage, cause?: unknown) {
    const place = damage.offset === undefined ? '' : ` at ${damage.offset} (${damage.length ?? '?'} bytes)`;
    const hit = damage.files.length > 0 ? `, needed by ${damage.files.slice(0, 3).join(', ')}` : '';
    super('vault.damaged', `${damage.object}${place} is damaged: ${damage.reason}${hit}`, {
      remedy:
        'run `catena verify` to see everything that is hit, and restore it from a copy or an earlier backup',
      details: { ...damage },
      cause,
    });
    this.damage = damage;
  }

  /** The same damage, with what the caller knows about who needs it. */
  neededBy(by: { backup?: string; file?: string }): DamagedObjectError {
    const add = (known: readonly string[], more?: string) =>
      more === undefined || known.includes(more) ? known : [...known, more];
    return new DamagedObjectError(
      {
        ...this.damage,
        backups: add(this.damage.backups, by.backup),
        files: add(this.damage.files, by.file),
      },
      this.cause,
    );
  }
}
