/** Objects of a volume and the sealed units in them: docs/vault-format.md sections 6 and 8. */
import { createDecipheriv, createHash } from 'node:crypto';
import zlib from 'node:zlib';
import { derive } from './keys.mjs';

const kinds = { pack: 1, map: 2, tree: 3, log: 4 };
const largestUnit = 8 * 1024 * 1024;
const cacheBytes = 64 * 1024 * 1024;

/** The 64 bytes every object begins with, computed from what the manifest says of its volume. */
export function headerOf(volume, kind, number) {
  const header = Buffer.alloc(64);
  header.write('CATENAv1');
  header[8] = kinds[kind];
  header[9] = volume.key === undefined ? 0 : 1;
  header.writeUInt32LE(number, 12);
  if (volume.key !== undefined) header.write(volume.key, 16, 'hex');
  header.write(volume.origin, 24, 'hex');
  header.write(volume.id, 40, 'hex');
  return header;
}

/** Opens one stored unit; undefined when it is not exactly what was written at this place. */
export function openUnit(stored, header, offset, dataKey) {
  const place = Buffer.alloc(12);
  place.writeBigUInt64BE(BigInt(offset), 4);
  const sealed = stored.subarray(0, -16);
  const tag = stored.subarray(-16);
  let plain;
  if (dataKey === undefined) {
    const sum = createHash('sha256').update(header).update(place).update(sealed).digest().subarray(0, 16);
    if (!sum.equals(tag)) return undefined;
    plain = sealed;
  } else {
    if (tag.length < 16) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', derive(dataKey, header, 'catena/1 object'), place);
    decipher.setAAD(Buffer.concat([header, place]));
    decipher.setAuthTag(tag);
    try {
      plain = Buffer.concat([decipher.update(sealed), decipher.final()]);
    } catch {
      return undefined;
    }
  }
  if (plain[0] === 0) return plain.subarray(1);
  if (plain[0] !== 1)
    throw new Error(`a unit is packed by method ${plain[0]}, which this program does not know`);
  return zlib.zstdDecompressSync(plain.subarray(1), { maxOutputLength: largestUnit });
}

/** Reads units of one collection, from their objects or, where those are damaged, from repair overlays. */
export class Units {
  #store;
  #collection;
  #keys;
  #cache = new Map();
  #cached = 0;

  constructor(store, collection, keys) {
    this.#store = store;
    this.#collection = collection;
    this.#keys = keys;
  }

  nameOf(volume, kind, number) {
    const attempt = `${this.#store.encode(volume.run)}.${volume.attempt}.${volume.id.slice(0, 8)}`;
    return `${this.#store.encode(this.#collection)}/${volume.folder}/${attempt}/${kind}-${eightDigits(number)}`;
  }

  /** The data of the unit at a place. Throws an error that names the object when neither it nor an overlay opens. */
  read(volume, kind, { object, offset, length }) {
    const id = `${volume.id} ${kind} ${object} ${offset}`;
    const known = this.#cache.get(id);
    if (known !== undefined) {
      this.#cache.delete(id);
      this.#cache.set(id, known);
      return known;
    }
    const data = this.#open(volume, kind, { object, offset, length });
    this.#cache.set(id, data);
    this.#cached += data.length;
    for (const [oldest, old] of this.#cache) {
      if (this.#cached <= cacheBytes) break;
      this.#cache.delete(oldest);
      this.#cached -= old.length;
    }
    return data;
  }

  #open(volume, kind, { object, offset, length }) {
    const key = volume.key === undefined ? undefined : this.#keys.get(volume.key);
    if (volume.key !== undefined && key === undefined) {
      throw new Error(`data key ${volume.key} is needed and is not on the keyring of ${this.#collection}`);
    }
    const header = headerOf(volume, kind, object);
    const name = this.nameOf(volume, kind, object);
    const repair = `${this.#store.encode(this.#collection)}/repairs/${volume.id}/${kind}-${eightDigits(object)}-${offset}`;
    const stored = this.#store.readRange(name, offset, length);
    const data = stored && openUnit(stored, header, offset, key);
    if (data !== undefined) return data;
    const overlay = this.#store.exists(repair)
      ? openUnit(this.#store.read(repair), header, offset, key)
      : undefined;
    if (overlay !== undefined) return overlay;
    const what = stored === undefined ? 'is missing or too short' : 'is damaged';
    throw new Error(`${name} ${what} at offset ${offset} (backup ${volume.backup})`);
  }
}

const eightDigits = (number) => String(number).padStart(8, '0');
