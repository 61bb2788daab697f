/** Objects of a volume and the sealed units in them: docs/vault-format.md sections 6 and 8. */
import { createDecipheriv, createHash } from 'node:crypto';
import zlib from 'node:zlib';
import { derive } from './keys.mjs';

const kinds = { pack: 1, map: 2, tree: 3, log: 4 };
const largestUnit = 8 * 1024 * 1024;
const cacheBytes = 64 * 1024 * 1024;
/** Bytes of the header, and of the end, of an object. */
const edge = 64;
const endOfObject = Buffer.concat([Buffer.alloc(8), Buffer.from('CATENAve')]);
const pieceBytes = 1024 * 1024;

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

  /**
   * What is wrong with an object as a whole: also with its header, its contents table and its end, which no restore reads.
   * What repair overlays replace counts as whole. Undefined when it is as it was written.
   */
  damageOf(volume, kind, object) {
    const name = this.nameOf(volume, kind, object);
    const size = this.#store.size(name);
    if (size < 2 * edge) return `${name} is damaged: it is too short`;
    if (!this.#store.readRange(name, 0, edge).equals(headerOf(volume, kind, object)))
      return `${name} is damaged: its header is not the one that its place asks for`;
    const footer = this.#store.readRange(name, size - edge, edge);
    if (!footer.subarray(48).equals(endOfObject)) return `${name} is damaged: it has no end`;
    const overlays = this.#overlaysOf(volume, kind, object);
    const isWhole = (replaced) => this.#sumOf(name, size - 48, replaced).equals(footer.subarray(16, 48));
    if (isWhole([]) || (overlays.length > 0 && isWhole(overlays))) return undefined;
    return `${name} is damaged: its SHA-256 is not the one at its end`;
  }

  /** SHA-256 of the first so many bytes of an object, with those of repair overlays in their places. */
  #sumOf(name, length, overlays) {
    const sum = createHash('sha256');
    for (let at = 0; at < length; at += pieceBytes) {
      const bytes = this.#store.readRange(name, at, Math.min(pieceBytes, length - at));
      for (const { offset, data } of overlays) {
        const from = Math.max(offset, at);
        const to = Math.min(offset + data.length, at + bytes.length);
        if (from < to) data.copy(bytes, from - at, from - offset, to - offset);
      }
      sum.update(bytes);
    }
    return sum.digest();
  }

  #overlaysOf(volume, kind, object) {
    const folder = `${this.#store.encode(this.#collection)}/repairs/${volume.id}`;
    const start = `${kind}-${eightDigits(object)}-`;
    return this.#store
      .list(folder)
      .filter((name) => name.startsWith(start))
      .map((name) => ({
        offset: Number(name.slice(start.length)),
        data: this.#store.read(`${folder}/${name}`),
      }));
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
