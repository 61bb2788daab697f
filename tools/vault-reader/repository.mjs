/** What is in a repository: collections, backups and exported event logs. docs/vault-format.md sections 2, 3, 5 and 10. */
import { Backup } from './backup.mjs';
import { Bytes } from './bytes.mjs';
import { checkAuthor, parseDocument } from './document.mjs';
import { derive, openKeyring, originOf } from './keys.mjs';
import { FolderStore } from './store.mjs';
import { Units, headerOf, openUnit } from './units.mjs';

const knownFeatures = ['content-without-hash'];

export class Repository {
  #store;
  #key;
  #keyrings = new Map();
  /** By name what is wrong with objects that were read whole; backups share them. */
  #read = new Map();

  /** `key` is what `parseKey` made; none is needed to list backups, or where nothing is encrypted. */
  constructor(folder, key) {
    this.#store = new FolderStore(folder);
    this.#key = key;
    const name = 'catena/repository.json';
    this.document = parseDocument(name, this.#store.read(name), 'catena-repository');
  }

  get isEncrypted() {
    return this.document.encryption !== 'none';
  }

  /** Manifests of all backups, oldest first, and an error for each that cannot be read. */
  list() {
    const manifests = [];
    const errors = [];
    for (const folder of this.#store.list('').filter((item) => item !== 'catena')) {
      for (const name of this.#store.find(folder, 'manifest.json')) {
        try {
          manifests.push(this.#manifest(name));
        } catch (error) {
          errors.push(error);
        }
      }
    }
    manifests.sort((a, b) => (a.asOf < b.asOf ? -1 : a.asOf > b.asOf ? 1 : 0));
    return { manifests, errors };
  }

  /** Opens a backup with its keys. Throws when the key is missing or another one. */
  backup(manifest) {
    const keys = this.#keysOf(manifest.collection, manifest.repository);
    if (this.isEncrypted) {
      const key = keys.get(manifest.seal.key);
      if (key === undefined)
        throw new Error(`key ${manifest.seal.key} of backup ${manifest.backup} is not on the keyring`);
      checkAuthor(`the manifest of backup ${manifest.backup}`, manifest, key);
    }
    const identity =
      manifest.identityKey === undefined
        ? derive(
            Buffer.from(originOf(manifest.repository, manifest.collection), 'hex'),
            '',
            'catena/1 public identity',
          )
        : keys.get(manifest.identityKey);
    const blockKey = identity && derive(identity, '', 'catena/1 block identity');
    return new Backup(manifest, new Units(this.#store, manifest.collection, keys), blockKey);
  }

  /**
   * What is wrong with the objects that a backup needs: missing, of another size than the manifest of their owner says, or not
   * what was written. Where the owner's manifest is gone nobody knows which of the numbers are gaps, and only reading shows
   * what is missing.
   */
  wrongObjects(manifest, manifests) {
    const wrong = [];
    const units = new Units(this.#store, manifest.collection, new Map());
    for (const volume of manifest.volumes) {
      const owner = manifests.find(({ backup }) => backup === volume.backup);
      const own = owner?.volumes.find(({ id }) => id === volume.id);
      for (const [kind, list] of [
        ['pack', 'packs'],
        ['map', 'maps'],
        ['tree', 'tree'],
      ]) {
        const sizes = own?.[list]?.split(' ').map(Number) ?? [];
        for (const number of numbersOf(volume.needs[list])) {
          const size = sizes[number - 1] ?? 0;
          const name = units.nameOf(volume, kind, number);
          if (!this.#store.exists(name)) {
            if (size > 0) wrong.push(`${name} is missing`);
          } else if (size > 0 && this.#store.size(name) !== size) {
            wrong.push(`${name} has ${this.#store.size(name)} bytes instead of ${size}`);
          } else {
            if (!this.#read.has(name)) this.#read.set(name, units.damageOf(volume, kind, number));
            const damage = this.#read.get(name);
            if (damage !== undefined) wrong.push(damage);
          }
        }
      }
    }
    return wrong;
  }

  /** Names of the exported event logs. */
  logs() {
    return this.#store.list('catena/log').map(decodeURIComponent);
  }

  /** The pieces of an exported event log: `docs/log-export-format.md` says what they are. The name comes first. */
  *log(wanted) {
    const name = `catena/log/${this.#store.encode(wanted)}`;
    if (!this.#store.exists(name)) throw new Error(`there is no exported log ${wanted}`);
    const header = this.#store.readRange(name, 0, 64);
    const size = this.#store.size(name);
    const footer = header && this.#store.readRange(name, size - 64, 64);
    if (footer?.subarray(56).toString() !== 'CATENAve') throw new Error(`${name} is damaged: it has no end`);
    const volume = { origin: header.toString('hex', 24, 40), id: header.toString('hex', 40, 56) };
    if (header[9] === 1) volume.key = header.toString('hex', 16, 24);
    if (!headerOf(volume, 'log', 1).equals(header))
      throw new Error(`${name} is damaged: it has no right header`);
    const key =
      volume.key === undefined ? undefined : this.#keysOf('catena', this.document.id).get(volume.key);
    if (volume.key !== undefined && key === undefined)
      throw new Error(`key ${volume.key} of ${name} is not on the keyring`);
    const read = (offset, length) => {
      const unit = openUnit(this.#store.readRange(name, offset, length), header, offset, key);
      if (unit === undefined) throw new Error(`${name} is damaged at offset ${offset}`);
      return unit;
    };
    const contents = new Bytes(read(Number(footer.readBigUInt64LE(0)), footer.readUInt32LE(8)));
    let offset = 64;
    while (!contents.done) {
      const length = contents.number();
      for (let blocks = contents.number(); blocks > 0; blocks--) {
        contents.number();
        contents.take(16);
      }
      yield read(offset, length);
      offset += length;
    }
  }

  #manifest(name) {
    const manifest = parseDocument(name, this.#store.read(name), 'catena-manifest', knownFeatures);
    const place = `${this.#store.encode(manifest.collection)}/${manifest.folder}/manifest.json`;
    if (place !== name) throw new Error(`${name} belongs to ${place}: it was moved`);
    if (manifest.repository !== this.document.id) throw new Error(`${name} belongs to another repository`);
    return manifest;
  }

  #keysOf(collection, repository) {
    if (!this.isEncrypted) return new Map();
    const known = this.#keyrings.get(collection);
    if (known !== undefined) return known;
    if (this.#key === undefined)
      throw new Error('the repository is encrypted: give --key-file or --passphrase-file');
    const folder = collection === 'catena' ? 'catena/keys' : `${this.#store.encode(collection)}/keys`;
    const keys = this.#openNewest(folder, collection, repository);
    this.#keyrings.set(collection, keys);
    return keys;
  }

  /** The newest keyring counts; an older one opens what it knows when the newest is damaged or lacks the key given. */
  #openNewest(folder, collection, repository) {
    let reason = new Error(`collection ${collection} has no keyring in ${folder}`);
    let isFirst = true;
    for (const item of this.#store.list(folder).reverse()) {
      const name = `${folder}/${item}`;
      try {
        const keyring = parseDocument(name, this.#store.read(name), 'catena-keyring');
        if (keyring.repository !== repository || keyring.collection !== collection) {
          throw new Error(`${name} belongs to another collection or repository`);
        }
        return openKeyring(keyring, this.#key);
      } catch (error) {
        if (isFirst) reason = error;
        isFirst = false;
      }
    }
    throw reason;
  }
}

/** `1-3 7` as 1, 2, 3, 7. */
function* numbersOf(text) {
  for (const range of text.split(' ').filter((item) => item !== '')) {
    const [first, last = first] = range.split('-').map(Number);
    for (let number = first; number <= last; number++) yield number;
  }
}
