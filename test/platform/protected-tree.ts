import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { compareTrees, compareWithBackup, type TreeDifference } from '@catena/sources';
import {
  openRepository,
  readKey,
  type FoundBackup,
  type Repository,
  type UnreadableBackup,
} from '@catena/vault';
import type { Operator, Place } from './operator.ts';
import { SeededChance } from './seeded-chance.ts';

const FOLDERS = ['.', 'letters', 'letters/old', 'pictures'];
const SMALL_FILES = 24;
/** Large enough to be read in several steps, between which a process can be killed. */
const LARGE_FILES = 3;

/** How much there is. */
export interface TreeOptions {
  readonly seed?: string | number;
  /** Of the large files together; default 6. */
  readonly megabytes?: number;
  /** Most random bytes of a small file; default 2000. */
  readonly noteBytes?: number;
}

/** Real files with a repository of their own, changed by seed; remembers how they were at each backup. */
export class ProtectedTree {
  readonly name: string;
  readonly repository: string;
  readonly where: Place;
  readonly #operator: Operator;
  readonly #chance: SeededChance;
  readonly #copies: string;
  readonly #noteBytes: number;

  private constructor(operator: Operator, name: string, where: Place, options: TreeOptions) {
    this.name = name;
    this.repository = `vault-${name}`;
    this.where = where;
    this.#operator = operator;
    this.#chance = new SeededChance(`${name}/${options.seed ?? 1}`);
    this.#noteBytes = options.noteBytes ?? 2_000;
    this.#copies = operator.place(`copies/${name}`);
  }

  /** Makes the files and defines source and repository. */
  static async define(operator: Operator, name: string, options: TreeOptions = {}): Promise<ProtectedTree> {
    const where = await operator.defineFiles({ source: name, repository: `vault-${name}` });
    const tree = new ProtectedTree(operator, name, where, options);
    tree.#fill((options.megabytes ?? 6) * 1_000_000);
    return tree;
  }

  #fill(bytes: number): void {
    for (const folder of FOLDERS) fs.mkdirSync(path.join(this.where.source, folder), { recursive: true });
    for (let index = 0; index < SMALL_FILES; index++) this.#writeSmall(index);
    for (let index = 0; index < LARGE_FILES; index++)
      fs.writeFileSync(
        this.#at(`pictures/large-${index}`),
        this.#chance.bytes(Math.floor(bytes / LARGE_FILES)),
      );
    fs.symlinkSync('letters/old', this.#at('shortcut'));
    fs.linkSync(this.#at('pictures/large-0'), this.#at('pictures/same-as-0'));
    fs.mkdirSync(this.#at('empty'));
  }

  /** Changes, adds and deletes something everywhere. */
  edit(): void {
    const chance = this.#chance;
    for (let times = 0; times < 5; times++) this.#writeSmall(chance.whole(0, SMALL_FILES * 2));
    fs.rmSync(this.#smallFile(chance.whole(0, SMALL_FILES)), { force: true });
    const large = fs.openSync(this.#at(`pictures/large-${chance.whole(0, LARGE_FILES - 1)}`), 'r+');
    const { size } = fs.fstatSync(large);
    for (let times = 0; times < 4; times++) {
      const page = chance.bytes(8192);
      fs.writeSync(large, page, 0, page.length, chance.whole(0, Math.floor(size / 8192) - 1) * 8192);
    }
    fs.closeSync(large);
  }

  /** Remembers the files as they are as what a backup must give back. */
  remember(backup: string): void {
    copyTree(this.where.source, path.join(this.#copies, backup));
  }

  /** Ids of the backups whose files are remembered, oldest first. */
  get remembered(): string[] {
    return fs
      .readdirSync(this.#copies)
      .map((name) => ({ name, at: fs.statSync(path.join(this.#copies, name)).birthtimeMs }))
      .sort((a, b) => a.at - b.at)
      .map(({ name }) => name);
  }

  /** What is in the repository, read without any service. */
  async found(): Promise<(FoundBackup | UnreadableBackup)[]> {
    const found: (FoundBackup | UnreadableBackup)[] = [];
    if (!fs.existsSync(this.where.repository)) return found;
    const repository = await this.#open();
    try {
      for (const id of await repository.collections())
        for await (const one of repository.collection(id).listBackups()) found.push(one);
      return found;
    } finally {
      await repository.close();
    }
  }

  /**
   * Everything that is wrong with the repository: damage, and any difference between a backup and the files as they
   * were. Every byte is read; no service is needed.
   */
  async flaws(): Promise<string[]> {
    const flaws: string[] = [];
    const repository = await this.#open();
    try {
      const remembered = new Set(this.remembered);
      for (const id of await repository.collections()) {
        const collection = repository.collection(id);
        const { damages, opened } = await collection.verify({ depth: 'checksums' });
        if (!opened) flaws.push(`${this.name}: its key does not open it`);
        for (const { object, reason } of damages) flaws.push(`${this.name}: ${object} is ${reason}`);
        for (const backup of remembered) {
          const reader = await collection.openBackup(backup);
          const differences = await compareWithBackup(reader, path.join(this.#copies, backup));
          await reader.close();
          flaws.push(...differences.map((one) => `${this.name}, ${backup}: ${described(one)}`));
        }
      }
      return flaws;
    } finally {
      await repository.close();
    }
  }

  /** A place where nothing is, for a restore. */
  freshTarget(): string {
    return path.join(this.#operator.place('restored'), `${this.name}-${this.#chance.whole(0, 2 ** 31)}`);
  }

  /** In what a restored folder differs from the files as they were at a backup. */
  async differences(backup: string, target: string): Promise<string[]> {
    return (await compareTrees(path.join(this.#copies, backup), target)).map(described);
  }

  async #open(): Promise<Repository> {
    const key = await readKey({ keyFile: { path: this.where.keyFile } });
    return openRepository(this.where.repository, { keys: [key] });
  }

  #at(name: string): string {
    return path.join(this.where.source, name);
  }

  #smallFile(index: number): string {
    return this.#at(path.join(FOLDERS[index % FOLDERS.length] ?? '.', `note-${index}.txt`));
  }

  #writeSmall(index: number): void {
    fs.writeFileSync(
      this.#smallFile(index),
      `${this.#chance.bytes(this.#chance.whole(1, this.#noteBytes)).toString('hex')}\n`,
    );
  }
}

/** Copies a folder to a place that is not there, with everything that a backup keeps. */
export function copyTree(from: string, to: string): void {
  execFileSync('cp', ['-a', '-T', from, to]);
}

function described({ path: name, difference, message }: TreeDifference): string {
  return `${Buffer.from(name).toString()}: ${difference}: ${message}`;
}
