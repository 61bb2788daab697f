import { createHash } from 'node:crypto';
import type { BackupReader, StoredEntry } from '@catena/vault';

/** Symbolic links that are followed for one path, as in Linux. */
const MOST_LINKS = 40;

/** What is served at a path of one backup: a folder, or a file with the reader of its bytes. */
export interface ServedEntry {
  /** Its own name; empty for the root. */
  readonly name: Uint8Array;
  readonly isFolder: boolean;
  readonly bytes: bigint;
  readonly modified: bigint;
  /** Changes with the content and with nothing else. */
  readonly tag: string;
  /** The entry that has the content. */
  readonly entry: StoredEntry;
}

type Names = readonly Uint8Array[];

function joined(names: Names): Uint8Array {
  return Buffer.from(names.map((name) => Buffer.from(name).toString('latin1')).join('/'), 'latin1');
}

function namesOf(path: Uint8Array): Uint8Array[] {
  return Buffer.from(path)
    .toString('latin1')
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .map((name) => Buffer.from(name, 'latin1'));
}

const isUp = (name: Uint8Array) => name.length === 2 && name[0] === 0x2e && name[1] === 0x2e;
const isImpossible = (name: Uint8Array) => name.length === 0 || name.includes(0) || name.includes(0x2f);

/** Where a link leads, seen from the folder it is in; `undefined` when that is outside of the backup. */
function targetOf(folder: Names, linkTarget: Uint8Array): Names | undefined {
  if (linkTarget[0] === 0x2f) return undefined;
  const names = [...folder];
  for (const name of namesOf(linkTarget)) {
    if (!isUp(name)) names.push(name);
    else if (names.pop() === undefined) return undefined;
  }
  return names;
}

/** One backup as folders and files: links are followed where they stay inside, everything else is left out. */
export class BackupTree {
  readonly reader: BackupReader;
  #users = 0;
  #isRetired = false;

  constructor(reader: BackupReader) {
    this.reader = reader;
  }

  /** To be called before it is read from, and `release` after that. */
  hold(): void {
    this.#users += 1;
  }

  async release(): Promise<void> {
    this.#users -= 1;
    if (this.#isRetired && this.#users === 0) await this.reader.close();
  }

  /** Nobody new will come: it is closed when the last one has left. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    if (this.#users === 0) await this.reader.close();
  }

  /** @throws DamagedObjectError */
  async find(names: Names): Promise<ServedEntry | undefined> {
    if (names.some((name) => isImpossible(name) || isUp(name))) return undefined;
    const entry = await this.#followed(names);
    return entry === undefined ? undefined : this.#served(names.at(-1) ?? new Uint8Array(), entry);
  }

  /** What is in a folder. @throws DamagedObjectError */
  async *list(folder: ServedEntry): AsyncGenerator<ServedEntry> {
    const inside = namesOf(folder.entry.path);
    for await (const entry of this.reader.entries({ directlyIn: folder.entry.path })) {
      const name = namesOf(entry.path).at(-1) ?? new Uint8Array();
      const followed = entry.kind === 'symlink' ? await this.#followed([...inside, name]) : entry;
      const served = followed && (await this.#served(name, followed));
      if (served !== undefined) yield served;
    }
  }

  /** The entry at a path, through as many links as it takes. */
  async #followed(names: Names): Promise<StoredEntry | undefined> {
    let path = names;
    for (let links = 0; links < MOST_LINKS; links++) {
      const found = await this.reader.find(joined(path));
      if (found !== undefined && found.kind !== 'symlink') return found;
      const next =
        found === undefined
          ? await this.#pastLink(path)
          : found.linkTarget && targetOf(path.slice(0, -1), found.linkTarget);
      if (next === undefined) return undefined;
      path = next;
    }
    return undefined;
  }

  /** A path of which a folder on the way is a link, with that link followed. */
  async #pastLink(path: Names): Promise<Names | undefined> {
    for (let length = path.length - 1; length > 0; length--) {
      const before = await this.reader.find(joined(path.slice(0, length)));
      if (before === undefined) continue;
      if (before.kind !== 'symlink' || before.linkTarget === undefined) return undefined;
      const target = targetOf(path.slice(0, length - 1), before.linkTarget);
      return target && [...target, ...path.slice(length)];
    }
    return undefined;
  }

  async #served(name: Uint8Array, entry: StoredEntry): Promise<ServedEntry | undefined> {
    const isFolder = entry.kind === 'folder';
    const file = entry.hardLink === undefined ? entry : await this.reader.find(entry.hardLink);
    const content = file?.content;
    if (!isFolder && (file === undefined || content === undefined)) return undefined;
    return {
      name,
      isFolder,
      bytes: content?.size ?? 0n,
      modified: (file ?? entry).mtime,
      tag: isFolder ? '' : this.#tagOf(content?.sha256, content?.encoded),
      entry: file ?? entry,
    };
  }

  #tagOf(sha256: Uint8Array | undefined, encoded: Uint8Array | undefined): string {
    if (sha256 !== undefined) return Buffer.from(sha256).toString('hex');
    const { repository, backup } = this.reader.manifest;
    return createHash('sha256')
      .update(`${repository}\0${backup}\0`)
      .update(encoded ?? '')
      .digest('hex');
  }
}
