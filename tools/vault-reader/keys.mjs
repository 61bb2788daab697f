/** From a passphrase, key file or recovery key to the data keys of a collection: docs/vault-format.md section 4. */
import { createDecipheriv, createHash, hkdfSync, scryptSync } from 'node:crypto';

export function derive(secret, salt, info, length = 32) {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, length));
}

/** Origin of a collection: binds keys and objects to the place they were made for. */
export function originOf(repository, collection) {
  return createHash('sha256').update(`${repository}\0${collection}`).digest().subarray(0, 16).toString('hex');
}

/** What a key file holds: a key file's secret, a recovery key's master key, or a passphrase (any other text). */
export function parseKey(text) {
  const line = text.replace(/\r?\n$/, '');
  const [kind, ...parts] = line.split(':');
  if (kind === 'catena-key-1') {
    const secret = checked(parts[0], parts[1], kind);
    return { kind: 'keyFile', secret };
  }
  if (kind === 'catena-recovery-1') {
    return { kind: 'recovery', origin: parts[0], secret: checked(parts[1], parts[2], parts[0]) };
  }
  return { kind: 'passphrase', secret: Buffer.from(line.normalize('NFC'), 'utf8') };
}

function checked(text, check, type) {
  const secret = Buffer.from(text ?? '', 'base64url');
  if (secret.length !== 32 || derive(secret, '', `catena/1 check ${type}`, 4).toString('hex') !== check) {
    throw new Error('the key is mistyped or cut off: its check does not match');
  }
  return secret;
}

/** All keys of a keyring by id. Throws when none of its slots opens with the key. */
export function openKeyring(keyring, key) {
  const origin = originOf(keyring.repository, keyring.collection);
  const master = masterKey(keyring, origin, key);
  if (master === undefined) {
    const slots = keyring.slots.map((slot) => `${slot.kind} "${slot.name}"`).join(', ');
    throw new Error(`the key opens none of the slots of collection ${keyring.collection}: ${slots}`);
  }
  const keys = new Map();
  for (const { id, role, wrapped } of keyring.keys) {
    const opened = unwrap(wrapped, master, `catena/1 keyring ${role} ${origin} ${id}`);
    if (opened === undefined) throw new Error(`key ${id} of collection ${keyring.collection} is damaged`);
    keys.set(id, opened);
  }
  return keys;
}

function masterKey(keyring, origin, key) {
  if (key.kind === 'recovery') return key.origin === origin ? key.secret : undefined;
  for (const slot of keyring.slots) {
    if (slot.kind !== key.kind) continue;
    const salt = Buffer.from(slot.salt, 'base64');
    const under =
      slot.kind === 'passphrase'
        ? stretched(key.secret, salt, slot.kdf)
        : derive(key.secret, salt, 'catena/1 key file');
    const master = unwrap(slot.wrapped, under, `catena/1 keyring slot ${origin} ${slot.id}`);
    if (master !== undefined) return master;
  }
  return undefined;
}

function stretched(secret, salt, { N, r, p }) {
  return scryptSync(secret, salt, 32, { N, r, p, maxmem: 256 * N * r });
}

/** Opens what was wrapped; undefined when the key is another one or the text was damaged. */
function unwrap(wrapped, key, associated) {
  const bytes = Buffer.from(wrapped, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
  decipher.setAAD(Buffer.from(associated));
  decipher.setAuthTag(bytes.subarray(-16));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
  } catch {
    return undefined;
  }
}
