import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ObjectMissingError } from '../error/object-missing-error.ts';
import { StoreError } from '../error/store-error.ts';
import type { ObjectStore } from '../port/object-store.ts';
import { seededBytes } from './seeded-bytes.ts';

/** A store for one test, and how to get rid of it. */
export interface StoreUnderTest {
  readonly store: ObjectStore;
  /** Another client of the same storage. */
  readonly second: ObjectStore;
  readonly remove: () => Promise<void>;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** What every store must do. Call it in a spec file of the store with a way to make an empty one. */
export function describeStore(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`${name} as an object store`, () => {
    let made: StoreUnderTest;
    let store: ObjectStore;
    beforeEach(async () => {
      made = await make();
      store = made.store;
    });
    afterEach(async () => {
      await store.close();
      await made.second.close();
      await made.remove();
    });

    const names = async (prefix: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const object of store.list(prefix)) found.push(object.name);
      return found;
    };

    it('creates an object only if there is none, and says which', async () => {
      expect(await store.putIfAbsent('a/b', Buffer.from('first'))).toBe(true);
      expect(await store.putIfAbsent('a/b', Buffer.from('second'))).toBe(false);
      expect(text(await store.read('a/b', 0, 100))).toBe('first');
    });

    it('lets exactly one of many writers create an object', async () => {
      const clients = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? store : made.second));
      const results = await Promise.all(
        clients.map((client, i) => client.putIfAbsent('race', Buffer.from(`writer ${i}`))),
      );
      expect(results.filter((created) => created)).toHaveLength(1);
      expect(text(await store.read('race', 0, 100))).toBe(`writer ${results.indexOf(true)}`);
    });

    it('shows nothing of an object before it is committed', async () => {
      const writer = await store.create('x/large');
      await writer.write(seededBytes(100_000));
      expect(await store.size('x/large')).toBeUndefined();
      expect(await names('')).toEqual([]);
      expect(await writer.commit()).toBe(true);
      expect(await made.second.size('x/large')).toBe(100_000);
    });

    it('leaves nothing of an object that was given up', async () => {
      const writer = await store.create('x/given-up');
      await writer.write(seededBytes(1000));
      await writer.abort();
      expect(await names('')).toEqual([]);
      expect(await store.putIfAbsent('x/given-up', Buffer.from('y'))).toBe(true);
    });

    it('commits the first of two writers of one name and keeps its bytes', async () => {
      const [one, two] = [await store.create('n'), await made.second.create('n')];
      await one.write(Buffer.from('one'));
      await two.write(Buffer.from('two'));
      expect([await two.commit(), await one.commit()]).toEqual([true, false]);
      expect(text(await store.read('n', 0, 10))).toBe('two');
    });

    it('gives ranges, shorter only at the end', async () => {
      const bytes = seededBytes(50_000);
      await store.putIfAbsent('r', bytes);
      expect(bytes.subarray(123, 20_123).equals(await store.read('r', 123, 20_000))).toBe(true);
      expect((await store.read('r', 49_990, 100)).length).toBe(10);
      expect((await store.read('r', 60_000, 100)).length).toBe(0);
    });

    it('holds empty objects', async () => {
      await store.putIfAbsent('empty', new Uint8Array());
      expect(await store.size('empty')).toBe(0);
      expect((await store.read('empty', 0, 10)).length).toBe(0);
    });

    it('names an object that is missing', async () => {
      await expect(store.read('no/such', 0, 1)).rejects.toThrow(ObjectMissingError);
      expect(await store.size('no/such')).toBeUndefined();
      expect(await store.delete('no/such')).toBe(false);
    });

    it('lists by folder, in order, without what lies beside it', async () => {
      for (const object of ['f/b', 'f/a', 'f/sub/c', 'fg/d', 'e'])
        await store.putIfAbsent(object, Buffer.from('1'));
      expect(await names('f/')).toEqual(['f/a', 'f/b', 'f/sub/c']);
      expect((await names('')).sort()).toEqual(['e', 'f/a', 'f/b', 'f/sub/c', 'fg/d']);
      const { objects, folders } = await store.listFolder('f/');
      expect(objects).toEqual([
        { name: 'f/a', size: 1 },
        { name: 'f/b', size: 1 },
      ]);
      expect(folders).toEqual(['sub']);
      expect(await store.listFolder('nowhere/')).toEqual({ objects: [], folders: [] });
    });

    it('deletes, after which the name is free', async () => {
      await store.putIfAbsent('d/x', Buffer.from('1'));
      await store.read('d/x', 0, 1);
      expect(await store.delete('d/x')).toBe(true);
      await expect(store.read('d/x', 0, 1)).rejects.toThrow(ObjectMissingError);
      expect(await store.putIfAbsent('d/x', Buffer.from('2'))).toBe(true);
      expect(text(await store.read('d/x', 0, 1))).toBe('2');
    });

    it.each(['../outside', 'a/../../b', '/etc/passwd', 'a//b', '', '.hidden', 'a/'])(
      'refuses the name %j',
      async (object) => {
        await expect(store.putIfAbsent(object, Buffer.from('1'))).rejects.toThrow(StoreError);
      },
    );
  });
}
