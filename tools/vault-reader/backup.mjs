/** One backup: its entries and the bytes of its files. docs/vault-format.md section 7. */
import { createHash, createHmac } from 'node:crypto';
import { Bytes, shown } from './bytes.mjs';

const kinds = ['file', 'folder', 'symlink', 'fifo', 'socket', 'blockDevice', 'characterDevice'];

export class Backup {
  #volumes;
  #units;
  #blockKey;

  /** `blockKey` is what blocks are identified with. */
  constructor(manifest, units, blockKey) {
    this.manifest = manifest;
    this.#units = units;
    this.#blockKey = blockKey;
    this.#volumes = new Map(manifest.volumes.map((volume) => [volume.number, volume]));
  }

  /**
   * All entries in canonical order, or those from the page on that a path would stand on. A damaged page goes to
   * `onDamage` and the next ones are read; without it the damage is thrown.
   */
  *entries(from, onDamage) {
    let pages = [...this.#indexPages(onDamage)];
    if (from !== undefined) {
      const next = pages.findIndex((page) => comparePaths(page.first, from) > 0);
      pages = pages.slice(Math.max(0, (next === -1 ? pages.length : next) - 1));
    }
    for (const { place, hash } of pages) {
      const page = tolerant(onDamage, () => this.#entryPage(place, hash));
      if (page !== undefined) yield* page;
    }
  }

  entry(wanted) {
    for (const entry of this.entries(wanted)) {
      const order = comparePaths(entry.path, wanted);
      if (order === 0) return entry;
      if (order > 0) break;
    }
    return undefined;
  }

  *warnings() {
    for (const text of this.manifest.tree.warnings) {
      const page = new Bytes(this.#page('tree', placeOf(text)));
      while (!page.done) {
        yield {
          path: page.sized(),
          code: page.sized().toString('utf8'),
          message: page.sized().toString('utf8'),
        };
      }
    }
  }

  /**
   * The content of a file in order: `{data}`, or `{zeros}` for a number of zero bytes that need no storage. The last
   * step throws when the whole is not what was backed up, so nothing may be used before it.
   */
  *content(entry) {
    const { size, sha256 } = entry.content;
    const hash = createHash('sha256');
    let total = 0n;
    for (const piece of this.#runs(entry.content)) {
      if (piece.data !== undefined) hash.update(piece.data);
      else for (let left = piece.zeros; left > 0; left -= zeros.length) hash.update(zeros.subarray(0, left));
      total += BigInt(piece.data?.length ?? piece.zeros);
      yield piece;
    }
    // Without a hash of the whole every block was checked by itself.
    if (total !== size || (sha256 !== undefined && !hash.digest().equals(sha256))) {
      throw new Error(
        `the content of ${shown(entry.path)} is not what was backed up: its SHA-256 does not match`,
      );
    }
  }

  *#indexPages(onDamage) {
    for (const text of this.manifest.tree.index) {
      const page = new Bytes(tolerant(onDamage, () => this.#page('tree', placeOf(text))) ?? Buffer.alloc(0));
      while (!page.done) {
        const first = page.sized();
        page.number();
        yield { first, hash: page.take(16), place: page.place() };
      }
    }
  }

  #entryPage(place, hash) {
    const page = this.#page('tree', place);
    if (!createHash('sha256').update(page).digest().subarray(0, 16).equals(hash)) {
      throw new Error(`a page of entries of backup ${this.manifest.backup} is not the one its index names`);
    }
    return [...readEntries(page)];
  }

  *#runs(content) {
    let left = content.size;
    for (const page of this.#leaves(content.map)) {
      while (!page.done) {
        const head = page.big();
        const isZero = (head & 1n) === 1n;
        const place = isZero ? undefined : page.place();
        let at = isZero ? 0 : page.number();
        const unit = isZero ? undefined : this.#page('pack', place);
        for (let count = head >> 1n; count > 0n; count--) {
          const fixed = left < BigInt(content.blockSize) ? Number(left) : content.blockSize;
          const length = content.isFixed ? fixed : page.number();
          left -= BigInt(length);
          if (isZero) {
            yield { zeros: length };
          } else {
            const identity = page.take(16);
            if (length > unit.length - at) throw new Error('a map points behind the end of a unit');
            const data = unit.subarray(at, at + length);
            if (content.sha256 === undefined) this.#checkBlock(data, identity);
            yield { data };
            at += length;
          }
        }
      }
    }
  }

  #checkBlock(data, identity) {
    if (this.#blockKey === undefined) throw new Error('the key that identifies blocks is not on the keyring');
    const found = createHmac('sha256', this.#blockKey).update(data).digest().subarray(0, 16);
    if (!found.equals(identity)) throw new Error('a block is not the one that the map names');
  }

  *#leaves(map) {
    if (map.inline !== undefined) {
      yield new Bytes(map.inline);
      return;
    }
    const page = new Bytes(this.#page('map', map.root));
    if (map.level === 0) {
      yield page;
      return;
    }
    while (!page.done) {
      const root = page.place();
      page.big();
      yield* this.#leaves({ level: map.level - 1, root });
    }
  }

  #page(kind, place) {
    const volume = this.#volumes.get(place.volume);
    if (volume === undefined) throw new Error(`backup ${this.manifest.backup} has no volume ${place.volume}`);
    return this.#units.read(volume, kind, place);
  }
}

function tolerant(onDamage, step) {
  try {
    return step();
  } catch (error) {
    if (onDamage === undefined) throw error;
    onDamage(error);
    return undefined;
  }
}

const zeros = Buffer.alloc(1024 * 1024);

function placeOf(text) {
  const [volume, object, offset, length] = text.split(':').map(Number);
  return { volume, object, offset, length };
}

/** Bytewise, but `/` sorts before every other byte, so that a folder stands right before what is in it. */
export function comparePaths(a, b) {
  const rank = (byte) => (byte === 0x2f ? -1 : byte);
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] !== b[i]) return rank(a[i]) - rank(b[i]);
  }
  return a.length - b.length;
}

function* readEntries(page) {
  const bytes = new Bytes(page);
  let before = Buffer.alloc(0);
  while (!bytes.done) {
    const shared = bytes.number();
    if (shared > before.length) throw new Error('a page of entries is damaged');
    const path = Buffer.concat([before.subarray(0, shared), bytes.sized()]);
    before = path;
    const entry = {
      path,
      kind: kinds[bytes.u8()],
      mode: bytes.number(),
      uid: bytes.number(),
      gid: bytes.number(),
      mtime: bytes.i64(),
      ctime: bytes.i64(),
      readAt: bytes.i64(),
      inode: bytes.big(),
      device: bytes.big(),
      size: bytes.big(),
    };
    if (entry.kind === undefined) throw new Error(`${shown(path)} is of a kind this program does not know`);
    for (let count = bytes.number(); count > 0; count--) readField(entry, bytes.number(), bytes.sized());
    yield entry;
  }
}

function readField(entry, tag, value) {
  if (tag === 1) entry.content = readContent(new Bytes(value));
  else if (tag === 2) entry.user = value.toString('utf8');
  else if (tag === 3) entry.linkTarget = value;
  else if (tag === 4) entry.group = value.toString('utf8');
  else if (tag === 5) entry.hardLink = value;
  else if (tag === 6) entry.attributes = readAttributes(new Bytes(value));
  else if (tag === 7) entry.deviceNumber = new Bytes(value).big();
  else if (tag % 2 === 1) throw new Error(`${shown(entry.path)} has a field ${tag} that must be understood`);
}

function readAttributes(bytes) {
  const attributes = [];
  while (!bytes.done) attributes.push([bytes.sized(), bytes.sized()]);
  return attributes;
}

function readContent(bytes) {
  const layout = bytes.u8();
  const size = bytes.big();
  const proof = bytes.u8();
  const sha256 = proof === 0 ? bytes.take(32) : undefined;
  const cut = bytes.u8();
  const blockSize = bytes.number();
  if (layout > 1 || proof > 1 || cut > 1)
    throw new Error('a content reference is of a kind this program does not know');
  if (layout === 1) {
    const map = { level: bytes.number(), root: bytes.place() };
    return { size, sha256, isFixed: cut === 0, blockSize, map };
  }
  return { size, sha256, isFixed: cut === 0, blockSize, map: { inline: bytes.rest() } };
}
