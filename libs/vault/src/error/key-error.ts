import { CatenaError } from '@catena/events';

/** None of the keys that were given opens the collection's keyring. */
export class LockedError extends CatenaError {
  /** Names of the slots any of which would open it. */
  readonly slots: readonly string[];

  constructor(collection: string, slots: readonly string[], given: number) {
    super(
      'vault.locked',
      given === 0
        ? `collection ${collection} is encrypted and no key was given`
        : `none of the ${given} given key(s) opens collection ${collection}`,
      { remedy: `give one of: ${slots.join(', ')}`, details: { collection, slots } },
    );
    this.slots = slots;
  }
}

/** The keyring opens, but the one data key that is needed is not on it. */
export class DataKeyMissingError extends CatenaError {
  readonly key: string;

  constructor(collection: string, key: string) {
    super('vault.key-missing', `collection ${collection} needs the data key ${key}, which no keyring holds`, {
      remedy:
        'bring back the newest object of the collection’s folder `keys`, or use a recovery key that holds it',
      details: { collection, key },
    });
    this.key = key;
  }
}

/** An encrypted repository cannot take a backup without a key to wrap the data key with. */
export class KeyRequiredError extends CatenaError {
  constructor(collection: string) {
    super('vault.key-required', `collection ${collection} is to be encrypted and no key was given`, {
      remedy: 'name a passphrase or key file under encryption.keys of the Repository',
      details: { collection },
    });
  }
}

/** An encrypted collection without a single keyring: nothing was written to it yet, or its folder `keys` is gone. */
export class KeyringMissingError extends CatenaError {
  constructor(collection: string, folder: string) {
    super('vault.keyring-missing', `collection ${collection} has no keyring in ${folder}`, {
      remedy: 'if it has backups, bring the objects of that folder back: without them no key opens anything',
      details: { collection, folder },
    });
  }
}

/** The text is not a key of the kind it was given as. */
export class MalformedKeyError extends CatenaError {
  constructor(kind: string, reason: string) {
    super('vault.malformed-key', `this is not a ${kind}: ${reason}`, {
      remedy: 'check that the file is complete and the right one',
      details: { kind },
    });
  }
}
