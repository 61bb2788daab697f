import { CatenaError } from '@catena/events';

/** A store was asked for an object that it does not have. */
export class ObjectMissingError extends CatenaError {
  readonly object: string;

  constructor(object: string, location: string) {
    super('vault.object-missing', `${object} is not in ${location}`, {
      remedy:
        'the backup that needs it has been deleted or the repository is incomplete; run `catena verify`',
      details: { object, location },
    });
    this.object = object;
  }
}
