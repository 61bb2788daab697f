import { randomBytes } from 'node:crypto';
import { DataKeyMissingError, LastSlotError, LockedError, SlotUnknownError } from '../error/key-error.ts';
import type { CollectionKey } from './data-key.ts';
import { deriveKey, KEY_BYTES, newCollectionKey } from './data-key.ts';
import type { KeyringDocument, KeyringSlot } from './keyring-document.ts';
import type { ExternalKey, ScryptCost, UnlockKey } from './unlock-key.ts';
import { DEFAULT_SCRYPT, passphraseKey, recoveryText } from './unlock-key.ts';
import { unwrapSecret, wrapSecret } from './wrap.ts';

/** Where a keyring belongs; part of what every wrapped secret is bound to. */
export interface KeyringPlace {
  readonly repository: string;
  readonly collection: string;
  readonly origin: string;
}

/** A new slot: who may open the keyring from now on. */
export type SlotKey = Exclude<UnlockKey, { kind: 'recovery' }>;

const slotContext = (place: KeyringPlace, slot: string) => `catena/1 keyring slot ${place.origin} ${slot}`;
const keyContext = (place: KeyringPlace, role: string, id: string) =>
  `catena/1 keyring ${role} ${place.origin} ${id}`;

/** What the master key is wrapped under in a slot. */
function slotSecret(
  key: Exclude<SlotKey, ExternalKey>,
  { salt, kdf }: Pick<KeyringSlot, 'kdf' | 'salt'>,
): Promise<Buffer> | Buffer {
  const salted = Buffer.from(salt ?? '', 'base64');
  if (key.kind === 'keyFile') return deriveKey(key.secret, salted, 'key file');
  return passphraseKey(key.passphrase, salted, kdf ?? DEFAULT_SCRYPT);
}

async function makeSlot(
  place: KeyringPlace,
  master: Uint8Array,
  key: SlotKey,
  cost: ScryptCost,
  now: Date,
): Promise<KeyringSlot> {
  const id = randomBytes(8).toString('hex');
  const about = { id, name: key.name ?? key.kind, createdAt: now.toISOString() };
  if ('wrap' in key) {
    const wrapped = await key.wrap(master, slotContext(place, id));
    return { ...about, kind: key.kind, portable: false, wrapped: Buffer.from(wrapped).toString('base64') };
  }
  const salt = randomBytes(16).toString('base64');
  const kdf = key.kind === 'passphrase' ? { kdf: { name: 'scrypt' as const, ...cost } } : {};
  const under = await slotSecret(key, { salt, ...kdf });
  const wrapped = wrapSecret(master, under, slotContext(place, id)).toString('base64');
  return { ...about, kind: key.kind, portable: key.portable ?? true, ...kdf, salt, wrapped };
}

async function openSlot(place: KeyringPlace, slot: KeyringSlot, key: UnlockKey): Promise<Buffer | undefined> {
  if (key.kind === 'recovery' || key.kind !== slot.kind) return undefined;
  const context = slotContext(place, slot.id);
  const wrapped = Buffer.from(slot.wrapped, 'base64');
  if ('unwrap' in key)
    return key.name === slot.name ? Buffer.from(await key.unwrap(wrapped, context)) : undefined;
  return unwrapSecret(wrapped, await slotSecret(key, slot), context);
}

const slotText = ({ kind, name, id }: KeyringSlot) => `${kind} ${name} (${id})`;

/** An opened keyring: the collection's keys in memory. Changing it means writing the next document. */
export class Keyring {
  readonly document: KeyringDocument;
  private readonly place: KeyringPlace;
  private readonly master: Uint8Array;
  private readonly keys = new Map<string, CollectionKey>();

  private constructor(document: KeyringDocument, place: KeyringPlace, master: Uint8Array) {
    this.document = document;
    this.place = place;
    this.master = master;
    for (const { id, role, wrapped } of document.keys) {
      const context = keyContext(place, role, id);
      const secret = unwrapSecret(Buffer.from(wrapped, 'base64'), master, context);
      if (secret !== undefined) this.keys.set(id, { id, secret });
    }
  }

  /** The first keyring of a collection, with a new data key. */
  static async create(
    place: KeyringPlace,
    keys: readonly SlotKey[],
    cost: ScryptCost,
    now: Date,
  ): Promise<Keyring> {
    const master = randomBytes(KEY_BYTES);
    const [data, identity] = [newCollectionKey(), newCollectionKey()];
    const entry = (key: CollectionKey, role: 'data' | 'identity') => ({
      id: key.id,
      role,
      createdAt: now.toISOString(),
      wrapped: wrapSecret(key.secret, master, keyContext(place, role, key.id)).toString('base64'),
    });
    const slots: KeyringSlot[] = [];
    for (const key of keys) slots.push(await makeSlot(place, master, key, cost, now));
    const document: KeyringDocument = {
      format: 'catena-keyring',
      version: 1,
      repository: place.repository,
      collection: place.collection,
      number: 1,
      createdAt: now.toISOString(),
      active: data.id,
      identity: identity.id,
      keys: [entry(data, 'data'), entry(identity, 'identity')],
      slots,
    };
    return new Keyring(document, place, master);
  }

  /** @throws LockedError when none of the keys opens it */
  static async open(
    document: KeyringDocument,
    place: KeyringPlace,
    keys: readonly UnlockKey[],
  ): Promise<Keyring> {
    for (const key of keys) {
      if (key.kind === 'recovery') {
        if (key.origin !== place.origin) continue;
        const keyring = new Keyring(document, place, key.master);
        if (keyring.keys.size > 0) return keyring;
        continue;
      }
      for (const slot of document.slots) {
        const master = await openSlot(place, slot, key);
        if (master !== undefined) return new Keyring(document, place, master);
      }
    }
    throw new LockedError(place.collection, document.slots.map(slotText), keys.length);
  }

  /** @throws DataKeyMissingError */
  key(id: string): CollectionKey {
    const key = this.keys.get(id);
    if (key === undefined) throw new DataKeyMissingError(this.place.collection, id);
    return key;
  }

  get active(): CollectionKey {
    return this.key(this.document.active);
  }

  get identity(): CollectionKey {
    return this.key(this.document.identity);
  }

  /** Text that opens this collection's keyrings without any slot, also later ones. A secret. */
  recovery(): string {
    return recoveryText(this.master, this.place.origin);
  }

  /** The next document, with one more slot. */
  async withSlot(key: SlotKey, cost: ScryptCost, now: Date): Promise<KeyringDocument> {
    const slot = await makeSlot(this.place, this.master, key, cost, now);
    return this.next({ slots: [...this.document.slots, slot] }, now);
  }

  /**
   * The next document, without a slot. Not revocation: older documents stay, and so may copies of the key.
   * @throws SlotUnknownError, LastSlotError
   */
  withoutSlot(id: string, now: Date): KeyringDocument {
    const { slots } = this.document;
    const { collection } = this.place;
    if (!slots.some((slot) => slot.id === id))
      throw new SlotUnknownError(collection, id, slots.map(slotText));
    if (slots.length === 1) throw new LastSlotError(collection, slots.map(slotText));
    return this.next({ slots: this.document.slots.filter((slot) => slot.id !== id) }, now);
  }

  /** The next document, in which new objects get a new data key. */
  rotated(now: Date): KeyringDocument {
    const data = newCollectionKey();
    const wrapped = wrapSecret(data.secret, this.master, keyContext(this.place, 'data', data.id));
    const entry = {
      id: data.id,
      role: 'data' as const,
      createdAt: now.toISOString(),
      wrapped: wrapped.toString('base64'),
    };
    return this.next({ active: data.id, keys: [...this.document.keys, entry] }, now);
  }

  private next(change: Partial<KeyringDocument>, now: Date): KeyringDocument {
    return { ...this.document, ...change, number: this.document.number + 1, createdAt: now.toISOString() };
  }
}
