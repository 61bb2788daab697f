import { randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { MalformedKeyError } from '../error/key-error.ts';
import { deriveKey, KEY_BYTES } from './data-key.ts';
import { DerivedKeys } from './derived-keys.ts';

/** What a person or a machine has to open a keyring with. */
export type UnlockKey =
  | ({ readonly kind: 'passphrase'; readonly passphrase: string } & AboutKey)
  | ({ readonly kind: 'keyFile'; readonly secret: Uint8Array } & AboutKey)
  /** A master key that was exported; opens the collection it belongs to. */
  | { readonly kind: 'recovery'; readonly master: Uint8Array; readonly origin: string }
  | ExternalKey;

/** What a slot says of the key that opens it. */
interface AboutKey {
  /** Whose key this is, for people; by it a keyring is seen to have the key already. */
  readonly name?: string;
  /** Whether it can be had away from here; default true. */
  readonly portable?: boolean;
}

/** A key that never leaves where it lives: a program or a key management service wraps and unwraps with it. */
export interface ExternalKey {
  readonly kind: 'command' | 'kms';
  readonly name: string;
  /** `context` names collection and slot; a service that can binds it to the result. */
  wrap(secret: Uint8Array, context: string): Promise<Uint8Array>;
  unwrap(wrapped: Uint8Array, context: string): Promise<Uint8Array>;
}

/** Cost of guessing a passphrase. Memory is 128 · N · r bytes. */
export interface ScryptCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** 64 MiB and about a fifth of a second. */
export const DEFAULT_SCRYPT: ScryptCost = { N: 65536, r: 8, p: 1 };

const scryptAsync = promisify(scrypt) as (
  password: string,
  salt: Uint8Array,
  length: number,
  options: ScryptCost & { maxmem: number },
) => Promise<Buffer>;

/** A mover has to do with few repositories. */
const KEYS_KEPT = 32;

const derivedKeys = new DerivedKeys(({ passphrase, salt, cost: [N = 0, r = 0, p = 0] }) => {
  const maxmem = 128 * N * r + 32 * 1024 * 1024;
  return scryptAsync(passphrase, salt, KEY_BYTES, { N, r, p, maxmem });
}, KEYS_KEPT);

export function passphraseKey(passphrase: string, salt: Uint8Array, cost: ScryptCost): Promise<Buffer> {
  const { N, r, p } = cost;
  return derivedKeys.of({ passphrase: passphrase.normalize('NFC'), salt, cost: [N, r, p] });
}

const KEY_FILE = 'catena-key-1';
const RECOVERY = 'catena-recovery-1';

function checkOf(kind: string, bytes: Uint8Array): string {
  return deriveKey(bytes, Buffer.alloc(0), `check ${kind}`, 4).toString('hex');
}

/** Text of a new key file: one line, safe to print and to store in a password manager. */
export function newKeyFile(): string {
  const secret = randomBytes(KEY_BYTES);
  return `${KEY_FILE}:${secret.toString('base64url')}:${checkOf(KEY_FILE, secret)}\n`;
}

/** @throws MalformedKeyError when the text is not a key file, or not all of one */
export function parseKeyFile(text: string, name?: string): Extract<UnlockKey, { kind: 'keyFile' }> {
  const [kind, encoded, check] = text.trim().split(':');
  if (kind !== KEY_FILE || encoded === undefined)
    throw new MalformedKeyError('key file', `it does not begin with ${KEY_FILE}`);
  const secret = Buffer.from(encoded, 'base64url');
  if (secret.length !== KEY_BYTES || checkOf(KEY_FILE, secret) !== check)
    throw new MalformedKeyError('key file', 'its check digits do not fit');
  return { kind: 'keyFile', secret, ...(name === undefined ? {} : { name }) };
}

/** Text that opens one collection without passphrase or key file. To be kept where no backup is. */
export function recoveryText(master: Uint8Array, origin: string): string {
  const encoded = Buffer.from(master).toString('base64url');
  return `${RECOVERY}:${origin}:${encoded}:${checkOf(origin, master)}\n`;
}

/** @throws MalformedKeyError */
export function parseRecoveryKey(text: string): UnlockKey {
  const [kind, origin, encoded, check] = text.trim().split(':');
  if (kind !== RECOVERY || origin === undefined || encoded === undefined)
    throw new MalformedKeyError('recovery key', `it does not begin with ${RECOVERY}`);
  const master = Buffer.from(encoded, 'base64url');
  if (master.length !== KEY_BYTES || checkOf(origin, master) !== check)
    throw new MalformedKeyError('recovery key', 'its check digits do not fit');
  return { kind: 'recovery', master, origin };
}
