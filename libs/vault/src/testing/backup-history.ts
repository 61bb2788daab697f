import { expect } from '@jest/globals';
import type { BackupPlan, BackupWriter, Repository, WriteOptions } from '../index.ts';
import { addTree, planOf, readBackup, type FileTree } from './file-tree.ts';
import { seededBytes } from './seeded-bytes.ts';
import { untilPacks } from './until-packs.ts';

const COLLECTION = 'c';
const SMALL_PACKS: WriteOptions = { packBytes: 40_000, unitBytes: 4_000 };
/** Some times what waits in the writer before it becomes a pack. */
const FILE_BYTES = 120_000;

/** A collection whose backups are taken one after another, each with other content. */
export class BackupHistory {
  readonly trees = new Map<string, FileTree>();
  readonly repository: Repository;
  #files: FileTree = new Map();
  #seed = 0;

  constructor(repository: Repository) {
    this.repository = repository;
  }

  async take(backup: string, more: Partial<BackupPlan> = {}): Promise<void> {
    await (await this.begin(backup, more, {})).finish();
  }

  /** A backup of which everything is written but the end. */
  async begin(
    backup: string,
    more: Partial<BackupPlan> = {},
    options: WriteOptions = SMALL_PACKS,
  ): Promise<{ writer: BackupWriter; finish: () => Promise<void> }> {
    this.#seed += 1;
    const changed = `file-${this.#seed % 3}`;
    this.#files = new Map([...this.#files, [changed, seededBytes(FILE_BYTES, this.#seed)]]);
    const files = this.#files;
    const startedAt = new Date(Date.UTC(2026, 10, 20) + this.#seed * 3_600_000);
    const writer = await this.collection().beginBackup(planOf(backup, { startedAt, ...more }), options);
    const parent = more.parent ?? more.base;
    const before = typeof parent === 'string' ? this.trees.get(parent) : undefined;
    await addTree(writer, files, (name) => before?.get(name) === files.get(name));
    if (options === SMALL_PACKS)
      await untilPacks(this.repository, { run: `run-${backup}`, attempt: more.attempt ?? 1 }, 1);
    const finish = async () => {
      await writer.finish();
      this.trees.set(backup, files);
    };
    return { writer, finish };
  }

  /** An attempt that ends before its backup is there, and leaves packs. */
  async interrupt(backup: string, more: Partial<BackupPlan> = {}): Promise<void> {
    const { writer } = await this.begin(backup, more);
    await writer.abandon();
    const attempt = `/run-${backup}.${more.attempt ?? 1}.`;
    expect((await this.names()).some((name) => name.includes(attempt))).toBe(true);
  }

  collection() {
    return this.repository.collection(COLLECTION);
  }

  async prune(...backups: string[]) {
    return await this.repository.prune(COLLECTION, {
      installation: 'here',
      backups: backups.map((backup) => ({ backup, run: `run-${backup}` })),
    });
  }

  async names(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of this.repository.store.list(`${COLLECTION}/`)) names.push(name);
    return names;
  }

  async there(): Promise<string[]> {
    const there: string[] = [];
    for await (const found of this.collection().listBackups())
      there.push('manifest' in found ? found.manifest.backup : `unreadable ${found.name}`);
    return there.sort();
  }

  /** Every backup that is there restores to what it was taken of, and nothing it needs is missing or damaged. */
  async expectRestorable(...backups: string[]): Promise<void> {
    expect(await this.there()).toEqual([...backups].sort());
    expect((await this.collection().verify({ depth: 'checksums' })).damages).toEqual([]);
    for (const backup of backups) {
      const restored = await readBackup(this.collection(), backup);
      const tree = this.trees.get(backup)!;
      expect([...restored.keys()].sort()).toEqual([...tree.keys()].sort());
      for (const [name, bytes] of tree) expect(restored.get(name)!.equals(bytes)).toBe(true);
    }
  }
}
