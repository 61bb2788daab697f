import { CatenaError } from '@catena/events';

/**
 * Where a repository was there is none now: its disk is not mounted, or it was moved. Making a new one there would hide
 * that, and write onto the wrong disk.
 */
export class RepositoryGoneError extends CatenaError {
  constructor(name: string, location: string) {
    super('repository.gone', `The repository ${name} was in ${location}, and there is none now.`, {
      remedy:
        'Bring it back: mount its disk, or move it back; the run is repeated. If it is lost for good, delete its definition and apply it again: then a new one is made.',
      retryable: true,
      details: { repository: name, location },
    });
  }
}

/** Where a repository was another one lies. */
export class RepositoryExchangedError extends CatenaError {
  constructor(name: string, location: string, expected: string, found: string) {
    super(
      'repository.exchanged',
      `In ${location} lies another repository (${found}) than ${name} was so far (${expected}).`,
      {
        remedy:
          'Bring the right one back: is another disk mounted there? The run is repeated. If it is meant, define it under a name of its own.',
        retryable: true,
        details: { repository: name, location, expected, found },
      },
    );
  }
}
