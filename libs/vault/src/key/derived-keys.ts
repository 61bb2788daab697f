import { createHash } from 'node:crypto';

/** What a key is derived from. */
export interface Derivation {
  readonly passphrase: string;
  readonly salt: Uint8Array;
  /** Numbers of the derivation, in an order of their own. */
  readonly cost: readonly number[];
}

/**
 * Keys that were derived from passphrases lately. A derivation costs a fifth of a second and 64 MiB on purpose, which a
 * guesser is to pay for each guess, not a mover for each run: who opens a keyring holds what is in it anyway. Passphrases are
 * not kept.
 */
export class DerivedKeys {
  private readonly derive: (from: Derivation) => Promise<Buffer>;
  private readonly most: number;
  /** The one that was used last comes last. */
  private readonly keys = new Map<string, Promise<Buffer>>();

  /** @param most keys that are kept */
  constructor(derive: (from: Derivation) => Promise<Buffer>, most: number) {
    this.derive = derive;
    this.most = most;
  }

  /** The key, derived unless it is known or somebody else is at it. */
  of(from: Derivation): Promise<Buffer> {
    const name = nameOf(from);
    const key = this.keys.get(name) ?? this.derive(from);
    this.keys.delete(name);
    this.keys.set(name, key);
    key.catch(() => this.keys.delete(name)); // whoever waits gets the failure
    const [oldest] = this.keys.keys();
    if (this.keys.size > this.most && oldest !== undefined) this.keys.delete(oldest);
    return key;
  }
}

function nameOf({ passphrase, salt, cost }: Derivation): string {
  return createHash('sha256')
    .update(`${salt.length} ${cost.join(' ')} `)
    .update(salt)
    .update(passphrase)
    .digest('base64');
}
