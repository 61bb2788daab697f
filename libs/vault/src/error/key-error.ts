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
  readonly collection: string;

  /** @param backups what the key would open, when that is known */
  constructor(collection: string, key: string, backups: readonly string[] = []) {
    const opens = backups.length === 0 ? '' : `; it would open ${fewOf(backups)}`;
    super(
      'vault.key-missing',
      `collection ${collection} needs the data key ${key}, which no keyring holds${opens}`,
      {
        remedy:
          'bring back the newest object of the collection’s folder `keys`, or use a recovery key that holds it',
        details: { collection, key, backups },
      },
    );
    this.key = key;
    this.collection = collection;
  }
}

function fewOf(backups: readonly string[]): string {
  const few = backups.slice(0, 5).join(', ');
  return backups.length > 5 ? `${few} and ${backups.length - 5} more` : few;
}

/** No slot of the keyring has the id. */
export class SlotUnknownError extends CatenaError {
  constructor(collection: string, slot: string, slots: readonly string[]) {
    super('vault.key-slot-unknown', `no key of collection ${collection} has the id ${slot}`, {
      remedy: `it has: ${slots.join(', ')}`,
      details: { collection, slot, slots },
    });
  }
}

/** Without the key nothing would open the collection any more. */
export class LastSlotError extends CatenaError {
  constructor(collection: string, slots: readonly string[]) {
    super('vault.last-key', `${slots.join(', ')} is the only key of collection ${collection}`, {
      remedy: 'add another key first (catena key add), then remove this one',
      details: { collection, slots },
    });
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
