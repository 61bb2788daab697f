import { CatenaError } from '@catena/events';

/** Somebody else's repository: only its owner may delete in it. */
export class NotOwnerError extends CatenaError {
  constructor(location: string, installation: string, owner: string | undefined) {
    super(
      'vault.not-owner',
      `${location} belongs to ${owner === undefined ? 'nobody' : `the installation ${owner}`}, not to ${installation}; only its owner deletes in it`,
      {
        remedy: 'let the owner prune and sweep it, or take the repository over',
        details: { location, installation, owner },
      },
    );
  }
}

/** A manifest that cannot be read may need anything, so nothing is deleted beside it. */
export class UnreadableManifestError extends CatenaError {
  constructor(object: string, cause: unknown) {
    super(
      'vault.prune-unsure',
      `${object} cannot be read, so what it needs is not known; nothing was deleted`,
      {
        remedy: 'repair it from a copy, or remove it when it is of no use any more',
        details: { object },
        cause,
      },
    );
  }
}
