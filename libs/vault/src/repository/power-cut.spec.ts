import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  FsStore,
  initialiseRepository,
  newKeyFile,
  NotARepositoryError,
  openRepository,
  parseKeyFile,
  type BackupPlan,
  type Repository,
  type UnlockKey,
} from '../index.ts';
import { systemFiles, type FileOperations } from '../store/file-operations.ts';
import {
  addTree,
  crashStates,
  DiskRecorder,
  MemoryStore,
  planOf,
  readTree,
  seededBytes,
  temporaryFolder,
  type CrashState,
  type FileTree,
} from '../testing/index.ts';

/** Hundreds of states; a busy machine takes its time for them. */
const PATIENCE = 300_000;
const SCRYPT = { N: 16, r: 1, p: 1 };
const FIRST: UnlockKey = parseKeyFile(newKeyFile());
const SECOND: UnlockKey = { kind: 'passphrase', passphrase: 'the second one' };
/** Three packs, a map and a page of entries. */
const SMALL = { packBytes: 20_000, unitBytes: 4_000 };

const before: FileTree = new Map([
  ['a', seededBytes(30_000, 1)],
  ['b', seededBytes(100_000, 2)],
  ['c', Buffer.from('text')],
]);
const after: FileTree = new Map([...before, ['a', seededBytes(30_000, 3)]]);
const trees: Readonly<Record<string, FileTree>> = { f1: before, i1: after, f2: after, f3: after };

const plans: Readonly<Record<string, BackupPlan>> = {
  f1: planOf('f1', { startedAt: new Date('2026-11-20T10:00:00Z') }),
  i1: planOf('i1', { startedAt: new Date('2026-11-20T11:00:00Z'), type: 'incremental', parent: 'f1' }),
  f2: planOf('f2', { startedAt: new Date('2026-11-20T12:00:00Z') }),
  f3: planOf('f3', { startedAt: new Date('2026-11-20T13:00:00Z') }),
};

async function begin(repository: Repository, backup: string, attempt = 1, tree = trees[backup]!) {
  const writer = await repository.collection('c').beginBackup({ ...plans[backup]!, attempt }, SMALL);
  await addTree(writer, tree, (name) => backup === 'i1' && name !== 'a');
  return writer;
}

async function take(repository: Repository, backup: string, attempt = 1): Promise<void> {
  await (await begin(repository, backup, attempt)).finish();
}

async function there(repository: Repository): Promise<string[]> {
  const found: string[] = [];
  for await (const one of repository.collection('c').listBackups())
    found.push('manifest' in one ? one.manifest.backup : `unreadable ${one.name}`);
  return found;
}

/** Every backup whose manifest is there gives back exactly what it was made of, and nothing is damaged. */
async function expectWhole(repository: Repository): Promise<string[]> {
  const collection = repository.collection('c');
  const backups = await there(repository);
  if (backups.length > 0) expect((await collection.verify({ depth: 'checksums' })).damages).toEqual([]);
  for (const backup of backups) {
    const reader = await collection.openBackup(backup);
    const restored = await readTree(reader);
    await reader.close();
    const tree = trees[backup]!;
    expect([...restored.keys()].sort()).toEqual([...tree.keys()].sort());
    for (const [name, bytes] of tree) expect(restored.get(name)!.equals(bytes)).toBe(true);
  }
  return backups;
}

/** The repository as the power cut left it; made anew when nobody had been told of one. */
async function reopen(state: CrashState, keys: readonly UnlockKey[] = [FIRST]): Promise<Repository> {
  const store = new MemoryStore(state.objects);
  try {
    return await openRepository(store, { keys, scrypt: SCRYPT });
  } catch (error) {
    if (!(error instanceof NotARepositoryError)) throw error;
    expect(state.acknowledged.has('repository')).toBe(false);
    return await initialiseRepository(store, { keys, installation: 'here', scrypt: SCRYPT });
  }
}

describe('a power cut at any moment, which keeps any part of what was not synced yet', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let recorder: DiskRecorder;
  let store: FsStore;
  let repository: Repository;

  beforeEach(async () => {
    folder = await temporaryFolder();
    recorder = new DiskRecorder(folder.path);
    store = new FsStore(folder.path, recorder.files);
    repository = await initialiseRepository(store, { keys: [FIRST], installation: 'here', scrypt: SCRYPT });
    recorder.acknowledge('repository');
  });
  afterEach(async () => {
    await repository.close();
    await folder.remove();
  });

  async function taken(...backups: string[]): Promise<void> {
    for (const backup of backups) {
      await take(repository, backup);
      recorder.acknowledge(backup);
    }
  }

  /** An attempt that ends when its first packs are there. */
  async function interrupted(backup: string, attempt = 1, tree = trees[backup]!): Promise<void> {
    const writer = await begin(repository, backup, attempt, tree);
    const hasPacks = async () => {
      for await (const { name } of store.list('c/'))
        if (name.includes(`run-${backup}.${attempt}.`)) return true;
      return false;
    };
    while (!(await hasPacks())) await new Promise(setImmediate);
    await writer.abandon();
  }

  /** @param check fails for a state that may not be; is told the backups that must be there */
  async function everyState(from: number, check: (state: CrashState) => Promise<void>): Promise<void> {
    const { states, combinations } = crashStates(recorder, from);
    expect(states.length).toBeGreaterThan(5);
    expect(combinations).toBeGreaterThan(states.length);
    for (const state of states)
      await check(state).catch((error: unknown) => {
        const names = [...state.objects.keys()].sort().join('\n');
        throw new Error(
          `The power went before step ${state.step}, after ${[...state.acknowledged].join(', ')}, and left\n${names}`,
          { cause: error },
        );
      });
  }

  it(
    'of making a repository and two backups: what was told stays, what is there restores, the rest is made',
    async () => {
      await taken('f1', 'i1');
      await everyState(1, async (state) => {
        const found = await reopen(state);
        const backups = await expectWhole(found);
        for (const backup of ['f1', 'i1']) {
          if (state.acknowledged.has(backup)) expect(backups).toContain(backup);
          if (!backups.includes(backup)) await take(found, backup, 2);
        }
        expect(await expectWhole(found)).toEqual(['f1', 'i1']);
        await found.collection('c').adopt('run-f1');
        expect((await found.collection('c').latest())?.backup).toBe('f1');
      });
    },
    PATIENCE,
  );

  it(
    'of deleting a chain: what stays restores, the chain is there whole or not at all, and deleting goes on',
    async () => {
      await taken('f1', 'i1', 'f2');
      const from = recorder.steps;
      const prune = (on: Repository) =>
        on.prune('c', {
          installation: 'here',
          backups: ['f1', 'i1'].map((backup) => ({ backup, run: `run-${backup}` })),
        });
      await prune(repository);
      recorder.acknowledge('pruned');
      await everyState(from, async (state) => {
        const found = await reopen(state);
        const backups = await expectWhole(found);
        expect(backups).toContain('f2');
        if (state.acknowledged.has('pruned')) expect(backups).toEqual(['f2']);
        await prune(found);
        expect(await expectWhole(found)).toEqual(['f2']);
        const left: string[] = [];
        for await (const { name } of found.store.list('c/')) if (/run-(f1|i1)/.test(name)) left.push(name);
        expect(left).toEqual([]);
        await take(found, 'f3');
        expect(await expectWhole(found)).toEqual(['f2', 'f3']);
      });
    },
    PATIENCE,
  );

  it(
    'of adding a key, a new data key, and removing a key: what was told to open it opens everything',
    async () => {
      await taken('f1');
      const from = recorder.steps;
      const collection = repository.collection('c');
      await collection.addKey(SECOND);
      recorder.acknowledge('second key');
      await collection.rotateKey();
      await taken('i1');
      const first = (await collection.keyring())!.slots.find(({ kind }) => kind === 'keyFile')!;
      await collection.removeKey(first.id);
      recorder.acknowledge('first key removed');
      await everyState(from, async (state) => {
        const isRemoved = state.acknowledged.has('first key removed');
        for (const key of [FIRST, SECOND]) {
          const found = await reopen(state, [key]);
          const slots = (await found.collection('c').keyring())!.slots.map(({ kind }) => kind);
          if (isRemoved) expect(slots).toEqual(['passphrase']);
          else expect(slots.length).toBeGreaterThan(0);
          if (state.acknowledged.has('second key')) expect(slots).toContain('passphrase');
          if (!slots.includes(key.kind)) continue;
          const backups = await expectWhole(found);
          expect(backups).toEqual(
            expect.arrayContaining(state.acknowledged.has('i1') ? ['f1', 'i1'] : ['f1']),
          );
          if (!backups.includes('i1')) await take(found, 'i1', 2);
          expect(await expectWhole(found)).toEqual(['f1', 'i1']);
        }
      });
    },
    PATIENCE,
  );

  it(
    'of sweeping: no backup loses anything, and nobody makes one of what is gone',
    async () => {
      await taken('f1');
      await interrupted('f3');
      await interrupted('f2');
      await take(repository, 'f2', 2);
      // It read something else, so it took nothing over.
      await interrupted('f2', 3, new Map([['a', seededBytes(150_000, 9)]]));
      recorder.acknowledge('f2');
      const from = recorder.steps;
      const sweep = (on: Repository) =>
        on.sweep({ installation: 'here', standingOf: () => Promise.resolve('over'), idleMilliseconds: 1e9 });
      expect((await sweep(repository)).objects).toBeGreaterThan(2);
      recorder.acknowledge('swept');
      await everyState(from, async (state) => {
        const found = await reopen(state);
        expect(await expectWhole(found)).toEqual(['f1', 'f2']);
        // Whoever stood still since before the sweep goes on now: it makes a whole backup, or none.
        await take(found, 'f3', 2).catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'vault.run-swept' });
        });
        if (state.acknowledged.has('swept')) expect(await there(found)).toEqual(['f1', 'f2']);
        await expectWhole(found);
        await sweep(found);
        expect(await sweep(found)).toMatchObject({ objects: 0 });
        await expectWhole(found);
      });
    },
    PATIENCE,
  );
});

describe('the recorder', () => {
  it('finds the states in which a store that does not sync loses what it was told to keep', async () => {
    const folder = await temporaryFolder();
    const recorder = new DiskRecorder(folder.path);
    const careless = new FsStore(folder.path, {
      ...recorder.files,
      open: async (...args: Parameters<typeof recorder.files.open>) => {
        const handle = await recorder.files.open(...args);
        return Object.assign(handle, { sync: () => Promise.resolve() });
      },
    });
    await careless.putIfAbsent('a/b', Buffer.from('kept?'));
    recorder.acknowledge('a/b');
    const texts = crashStates(recorder)
      .states.filter(({ acknowledged }) => acknowledged.has('a/b'))
      .map(({ objects }) => {
        const bytes = objects.get('a/b');
        return bytes === undefined ? 'lost' : Buffer.from(bytes).toString();
      });
    expect(new Set(texts)).toEqual(new Set(['lost', '', 'kept?']));
    await careless.close();
    await folder.remove();
  });

  it('knows a folder as soon as the second of two who made it at once goes on in it', async () => {
    const folder = await temporaryFolder();
    const lateToSay = {
      ...systemFiles,
      mkdir: async (...args: Parameters<typeof systemFiles.mkdir>) => {
        const made = await systemFiles.mkdir(...args);
        await setTimeout(20);
        return made;
      },
    } as FileOperations;
    const recorder = new DiskRecorder(folder.path, lateToSay);
    const stores = [1, 2].map(() => new FsStore(folder.path, recorder.files));
    await Promise.all(stores.map((store, one) => store.putIfAbsent(`in/here/${one}`, Buffer.from('kept'))));
    recorder.acknowledge('both');
    const { states } = crashStates(recorder, recorder.steps);
    expect(new Set(states.map(({ objects }) => objects.size))).toEqual(new Set([2]));
    for (const store of stores) await store.close();
    await folder.remove();
  });

  it('finds one state alone once the store has said that an object is there', async () => {
    const folder = await temporaryFolder();
    const recorder = new DiskRecorder(folder.path);
    const careful = new FsStore(folder.path, recorder.files);
    await careful.putIfAbsent('a/b', Buffer.from('kept'));
    recorder.acknowledge('a/b');
    const { states } = crashStates(recorder, recorder.steps + 1);
    expect(states.map(({ objects }) => [...objects.keys()])).toEqual([['a/b']]);
    await careful.close();
    await folder.remove();
  });
});
