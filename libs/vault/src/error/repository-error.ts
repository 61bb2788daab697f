import { CatenaError } from '@catena/events';

/** There is no repository where one was to be opened. */
export class NotARepositoryError extends CatenaError {
  constructor(location: string) {
    super('vault.not-a-repository', `${location} holds no repository`, {
      remedy:
        'check the path, and that its disk is mounted; the first backup to a Repository makes one there',
      details: { location },
    });
  }
}

/** A repository was to be made where there is one already. */
export class RepositoryExistsError extends CatenaError {
  constructor(location: string, repository: string) {
    super('vault.repository-exists', `${location} holds the repository ${repository} already`, {
      remedy: 'open it, or choose an empty folder',
      details: { location, repository },
    });
  }
}

/** A document was written by a newer version than this one can read. */
export class NewerFormatError extends CatenaError {
  constructor(object: string, found: unknown, known: number) {
    super(
      'vault.newer-format',
      `${object} has format version ${String(found)}, this program knows ${known}`,
      {
        remedy: 'use a newer version of Catena',
        details: { object, found, known },
      },
    );
  }
}

/** The URL names a kind of store this program does not have. */
export class UnsupportedStoreError extends CatenaError {
  constructor(location: string) {
    super('vault.store-unsupported', `no store understands ${location}`, {
      remedy: 'give a path or a file:// URL',
      details: { location },
    });
  }
}

/** A backup was asked for that the collection does not have. */
export class BackupMissingError extends CatenaError {
  constructor(collection: string, backup: string) {
    super('vault.backup-missing', `collection ${collection} has no backup ${backup}`, {
      remedy: 'list what is there with `catena backups`',
      details: { collection, backup },
    });
  }
}
