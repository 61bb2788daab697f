import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { initialiseRepository, newKeyFile, parseKeyFile, StoreError } from '../index.ts';
import { addTree, planOf, readBackup, seededBytes, temporaryFolder, WatchedStore } from '../testing/index.ts';

const MIB = 1024 * 1024;
const keys = [parseKeyFile(newKeyFile())];
const tree = new Map(Array.from({ length: 12 }, (_, i) => [`file ${i}.db`, seededBytes(MIB, i)]));

describe('a backup on a store', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: WatchedStore;
  beforeEach(async () => {
    folder = await temporaryFolder();
    store = new WatchedStore(folder.path);
  });
  afterEach(async () => {
    await store.close();
    await folder.remove();
  });

  it('makes everything durable before anything refers to it', async () => {
    const repository = await initialiseRepository(store, { keys, installation: 'here' });
    const writer = await repository.collection('c').beginBackup(planOf('b'), { packBytes: 2 * MIB });
    await addTree(writer, tree);
    await writer.finish();
    const order = store.durable.map((name) => /(keys|pack|map|tree|manifest|LATEST)/.exec(name)?.[1]);
    const phases = order.filter((kind, i) => kind !== undefined && kind !== order[i - 1]);
    expect(phases).toEqual(['keys', 'pack', 'map', 'tree', 'manifest', 'LATEST']);
    expect(order.filter((kind) => kind === 'pack').length).toBeGreaterThan(4);
  });

  it.each([0.02, 0.3, 0.6, 0.95])(
    'that runs full after a share of %d ends with the reason and no backup',
    async (share) => {
      const repository = await initialiseRepository(store, { keys, installation: 'here' });
      const collection = repository.collection('c');
      const writer = await collection.beginBackup(planOf('b'), { packBytes: 2 * MIB });
      store.capacity = share * tree.size * MIB;
      const failed = await addTree(writer, tree)
        .then(() => writer.finish())
        .catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(StoreError);
      expect(failed).toMatchObject({ code: 'vault.store-full', retryable: true });
      await writer.abandon();
      expect(await collection.findManifest('run-b')).toBeUndefined();
      expect(await readdir(path.join(folder.path, '.unfinished'))).toEqual([]);

      store.capacity = Infinity;
      const next = await collection.beginBackup(planOf('b', { attempt: 2 }), { packBytes: 2 * MIB });
      await addTree(next, tree);
      await next.finish();
      const read = await readBackup(collection, 'b');
      for (const [name, bytes] of tree) expect(read.get(name)?.equals(bytes)).toBe(true);
    },
  );
});
