import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AddContent, Collection, Entry, PagedBackupReader, Repository, StoredEntry } from '../index.ts';
import { comparePaths, diffBackups, FsStore, initialiseRepository } from '../index.ts';
import { bytesReader, fileEntry, planOf, temporaryFolder } from '../testing/index.ts';

class CountingStore extends FsStore {
  bytes = 0;
  override read(name: string, offset: number, length: number): Promise<Uint8Array> {
    if (name.includes('/tree-')) this.bytes += length;
    return super.read(name, offset, length);
  }
}

const name = (i: number) => `folder ${i % 40}/file ${i}`;

function tree(): Map<string, Entry> {
  const entries: Entry[] = Array.from({ length: 40 }, (_, i) => ({
    ...fileEntry(`folder ${i}`, 0),
    kind: 'folder',
  }));
  for (let i = 0; i < 3200; i++) entries.push(fileEntry(name(i), 9, 1 + i));
  return new Map(entries.map((entry) => [Buffer.from(entry.path).toString(), entry]));
}

/** What a person does in a day: content, mode, a new file, one removed, a kind, a touch, a folder with its files. */
function edited(): Map<string, Entry> {
  const after = tree();
  const change = (path: string, more: Partial<Entry>) => after.set(path, { ...after.get(path)!, ...more });
  change(name(17), { ctime: 5n, size: 10n, mtime: 77n });
  change(name(18), { mode: 0o600 });
  change(name(2000), { mtime: 78n });
  change(name(2401), { kind: 'symlink', linkTarget: Buffer.from('../x'), size: 0n });
  change(name(2802), { user: 'ada', xattrs: [[Buffer.from('user.a'), Buffer.from('1')]] });
  after.delete(name(1777));
  after.set('folder 7/new', fileEntry('folder 7/new', 9));
  for (const path of after.keys()) if (path.startsWith('folder 39')) after.delete(path);
  return after;
}

describe('two backups', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let repository: Repository;
  let collection: Collection;
  let store: CountingStore;
  let time = Date.UTC(2026, 10, 20, 12);
  const readers: PagedBackupReader[] = [];

  async function backup(id: string, parent: string | undefined, found: ReadonlyMap<string, Entry>) {
    const lineage = parent === undefined ? {} : { type: 'incremental' as const, parent };
    const writer = await collection.beginBackup(
      planOf(id, { ...lineage, startedAt: new Date((time += 1000)) }),
    );
    const before = new Map<string, StoredEntry>();
    for await (const entry of writer.previous()) before.set(Buffer.from(entry.path).toString(), entry);
    for (const entry of [...found.values()].sort((a, b) => comparePaths(a.path, b.path))) {
      const known = before.get(Buffer.from(entry.path).toString());
      const text = entry.size === 10n ? 'something!' : 'something';
      const read: AddContent | undefined =
        entry.kind === 'file' ? { read: bytesReader(Buffer.from(text)) } : undefined;
      const isKept = known?.kind === entry.kind && (known.content?.size ?? 0n) === entry.size;
      await writer.add(entry, isKept ? { asBefore: known } : read);
    }
    await writer.finish();
    const reader = await collection.openBackup(id);
    readers.push(reader);
    return reader;
  }

  let first: PagedBackupReader;
  let second: PagedBackupReader;
  let otherChain: PagedBackupReader;
  beforeAll(async () => {
    folder = await temporaryFolder();
    store = new CountingStore(folder.path);
    const now = () => new Date((time += 1000));
    repository = await initialiseRepository(store, { now, installation: 'here' });
    collection = repository.collection('c');
    first = await backup('first', undefined, tree());
    second = await backup('second', 'first', edited());
    otherChain = await backup('other', undefined, edited());
  });
  afterAll(async () => {
    for (const reader of readers) await reader.close();
    await repository.close();
    await folder.remove();
  });

  async function differences(before: PagedBackupReader, after: PagedBackupReader): Promise<string[]> {
    const lines: string[] = [];
    for await (const one of diffBackups(before, after)) {
      const aspects = one.change === 'changed' ? ` ${one.aspects.join(' ')}` : '';
      lines.push(`${one.change} ${Buffer.from(one.path).toString()}${aspects}`);
    }
    return lines;
  }

  const removedFolder = ['folder 39', ...Array.from({ length: 80 }, (_, i) => name(39 + 40 * i))];
  const expected = [
    `changed ${name(17)} content mtime`,
    `changed ${name(18)} mode`,
    `changed ${name(2000)} mtime`,
    `changed ${name(2401)} kind`,
    `changed ${name(2802)} owner attributes`,
    `removed ${name(1777)}`,
    'added folder 7/new',
    ...removedFolder.map((path) => `removed ${path}`),
  ];
  const byPath = (lines: readonly string[]) => [...lines].sort();

  it('differ in what was changed, in the order of paths', async () => {
    const found = await differences(first, second);
    expect(byPath(found)).toEqual(byPath(expected));
    const paths = found.map((line) =>
      Buffer.from(/^\w+ (folder [^/]+(?:\/(?:file \d+|new))?)/.exec(line)![1]!),
    );
    for (const [i, path] of paths.entries())
      if (i > 0) expect(comparePaths(paths[i - 1]!, path)).toBeLessThan(0);
  });

  it('differ the other way round', async () => {
    const turned = { added: 'removed', removed: 'added', changed: 'changed' } as const;
    const back = (await differences(second, first)).map((line) =>
      line.replace(/^\w+/, (change) => turned[change as keyof typeof turned]),
    );
    expect(byPath(back)).toEqual(byPath(expected));
  });

  it('are compared across chains, by content and not by where it lies', async () => {
    expect(byPath(await differences(first, otherChain))).toEqual(byPath(expected));
    expect(await differences(second, otherChain)).toEqual([]);
  });

  it('are compared without reading the pages that both share', async () => {
    const before = store.bytes;
    await differences(first, second);
    const some = store.bytes - before;
    for await (const entry of first.entries()) expect(entry.path).toBeDefined();
    const all = store.bytes - before - some;
    // Both sides of seven changed places, the pages of the folder that went, and index pages.
    // Reading both whole would take twice as much as all of one.
    expect(some).toBeLessThan(all);
  });

  it('are equal to themselves', async () => {
    expect(await differences(second, second)).toEqual([]);
  });
});
