/** A repository in a folder: names of objects and reading them. docs/vault-format.md section 2. */
import fs from 'node:fs';
import path from 'node:path';

export class FolderStore {
  #root;
  #open = new Map();

  constructor(root) {
    this.#root = root;
    if (!fs.existsSync(path.join(root, 'catena', 'repository.json'))) {
      throw new Error(`${root} is no repository: it has no catena/repository.json`);
    }
  }

  /** An id as it stands in names. */
  encode(id) {
    if (id === 'catena') return '%63atena';
    return [...Buffer.from(id, 'utf8')]
      .map((byte, index) => {
        const character = String.fromCharCode(byte);
        if (/[A-Za-z0-9._-]/.test(character) && !(index === 0 && character === '.')) return character;
        return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
      })
      .join('');
  }

  exists(name) {
    return fs.existsSync(path.join(this.#root, name));
  }

  read(name) {
    return fs.readFileSync(path.join(this.#root, name));
  }

  /** The bytes of a part of an object; undefined when the object is missing or shorter. */
  readRange(name, offset, length) {
    let handle = this.#open.get(name);
    if (handle === undefined) {
      try {
        handle = fs.openSync(path.join(this.#root, name));
      } catch (error) {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      }
      this.#open.set(name, handle);
      if (this.#open.size > 100) {
        const [oldest, old] = this.#open.entries().next().value;
        this.#open.delete(oldest);
        fs.closeSync(old);
      }
    }
    const bytes = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const count = fs.readSync(handle, bytes, filled, length - filled, offset + filled);
      if (count === 0) return undefined;
      filled += count;
    }
    return bytes;
  }

  size(name) {
    return fs.statSync(path.join(this.#root, name)).size;
  }

  /** Names in a folder of the repository, sorted; none when there is no such folder. */
  list(folder) {
    const full = path.join(this.#root, folder);
    if (!fs.existsSync(full)) return [];
    return fs
      .readdirSync(full)
      .filter((name) => !name.startsWith('.'))
      .sort();
  }

  /** Names of all objects beneath a folder that end in `/<last>`. */
  *find(folder, last) {
    for (const item of fs.readdirSync(path.join(this.#root, folder), { withFileTypes: true })) {
      if (item.name.startsWith('.')) continue;
      const name = `${folder}/${item.name}`;
      if (item.isDirectory()) yield* this.find(name, last);
      else if (item.name === last) yield name;
    }
  }
}
