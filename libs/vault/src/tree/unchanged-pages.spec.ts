import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AddContent, Collection, Entry, Repository, StoredEntry } from '../index.ts';
import { comparePaths, initialiseRepository } from '../index.ts';
import { bytesReader, fileEntry, planOf, temporaryFolder } from '../testing/index.ts';

const KIB = 1024;
const FILES = 4000;
const FOLDERS = 40;

/** What the driver finds: folders with small files in them. */
function entries(more: readonly string[] = [], without = ''): Entry[] {
  const found: Entry[] = Array.from({ length: FOLDERS }, (_, i) => ({
    ...fileEntry(`folder ${i}`, 0),
    kind: 'folder',
  }));
  for (let i = 0; i < FILES; i++) found.push(fileEntry(`folder ${i % FOLDERS}/file ${i}`, 9, 1 + i));
  for (const name of more) found.push(fileEntry(name, 9, 7));
  return found
    .filter(({ path }) => Buffer.from(path).toString() !== without)
    .sort((a, b) => comparePaths(a.path, b.path));
}

describe('what an incremental writes of a tree', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let repository: Repository;
  let collection: Collection;
  let time = Date.UTC(2026, 10, 20, 12);
  beforeEach(async () => {
    folder = await temporaryFolder();
    const now = () => new Date((time += 1000));
    repository = await initialiseRepository(folder.path, { now, installation: 'here' });
    collection = repository.collection('c');
  });
  afterEach(async () => {
    await repository.close();
    await folder.remove();
  });

  /** Bytes of maps and entry pages that the backup wrote. What the parent has is taken over, as by a driver. */
  async function backup(id: string, parent: string | undefined, found: readonly Entry[]): Promise<number> {
    const lineage = parent === undefined ? {} : { type: 'incremental' as const, parent };
    const writer = await collection.beginBackup(planOf(id, { ...lineage, startedAt: new Date(time) }));
    const before = new Map<string, StoredEntry>();
    for await (const entry of writer.previous()) before.set(Buffer.from(entry.path).toString(), entry);
    for (const entry of found) {
      const known = before.get(Buffer.from(entry.path).toString());
      const read: AddContent | undefined =
        entry.kind === 'file' ? { read: bytesReader(Buffer.from('something')) } : undefined;
      await writer.add(entry, known === undefined ? read : { asBefore: known });
    }
    return (await writer.finish()).manifest.statistics.bytesOfMaps;
  }

  async function pathsOf(id: string): Promise<string[]> {
    const reader = await collection.openBackup(id);
    const paths: string[] = [];
    for await (const { path } of reader.entries()) paths.push(Buffer.from(path).toString());
    await reader.close();
    return paths;
  }

  it('is nothing when nothing has changed, folders included', async () => {
    const whole = await backup('full', undefined, entries());
    expect(whole).toBeGreaterThan(64 * KIB);
    expect(await backup('one', 'full', entries())).toBe(0);
    expect(await backup('two', 'one', entries())).toBe(0);
    expect(await pathsOf('two')).toHaveLength(FILES + FOLDERS);
    expect((await collection.backup('two')).manifest.backups).toEqual(['full', 'two']);
  });

  it('is a page and its index page when one entry comes, goes or changes, wherever that is', async () => {
    await backup('full', undefined, entries());
    const first = await backup('first', 'full', entries(['a']));
    const middle = await backup('middle', 'first', entries(['a', 'folder 2/file 0000']));
    const gone = await backup('gone', 'middle', entries(['a', 'folder 2/file 0000'], 'folder 39/file 39'));
    for (const bytes of [first, middle, gone]) {
      expect(bytes).toBeGreaterThan(0);
      expect(bytes).toBeLessThan(32 * KIB);
    }
    const expected = entries(['a', 'folder 2/file 0000'], 'folder 39/file 39');
    expect(await pathsOf('gone')).toEqual(expected.map(({ path }) => Buffer.from(path).toString()));
    expect((await collection.verify({ depth: 'checksums' })).damages).toEqual([]);
  });
});
