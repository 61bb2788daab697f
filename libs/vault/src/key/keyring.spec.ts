import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { ExternalKey, UnlockKey } from '../index.ts';
import {
  initialiseRepository,
  KeyRequiredError,
  LockedError,
  MalformedKeyError,
  newKeyFile,
  openRepository,
  parseKeyFile,
  parseRecoveryKey,
} from '../index.ts';
import { addTree, objectsIn, planOf, readBackup, seededBytes, temporaryFolder } from '../testing/index.ts';
import { unwrapSecret, wrapSecret } from './wrap.ts';

const scrypt = { N: 1024, r: 8, p: 1 };
const passphrase: UnlockKey = { kind: 'passphrase', passphrase: 'correct horse', name: 'ops' };
const content = new Map([['secret-name.txt', seededBytes(50_000, 1)]]);

describe('the keys of a collection', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => (folder = await temporaryFolder()));
  afterEach(() => folder.remove());

  async function backup(keys: UnlockKey[], id: string) {
    const repository = await openRepository(folder.path, { keys, scrypt });
    try {
      const writer = await repository.collection('c').beginBackup(planOf(id));
      await addTree(writer, content);
      return (await writer.finish()).manifest;
    } finally {
      await repository.close();
    }
  }

  async function opens(keys: UnlockKey[], id: string): Promise<boolean> {
    const repository = await openRepository(folder.path, { keys });
    try {
      const tree = await readBackup(repository.collection('c'), id);
      return tree.get('secret-name.txt')!.equals(content.get('secret-name.txt')!);
    } finally {
      await repository.close();
    }
  }

  const initialise = (keys: UnlockKey[]) =>
    initialiseRepository(folder.path, { keys, scrypt, installation: 'here' }).then((made) => made.close());

  it('are wrapped for every key that was given; each one opens it alone', async () => {
    const file = parseKeyFile(newKeyFile());
    await initialise([passphrase, file]);
    await backup([passphrase, file], 'b');
    expect(await opens([passphrase], 'b')).toBe(true);
    expect(await opens([file], 'b')).toBe(true);
  });

  it('are not given up: a wrong key or none is refused, naming what would open it', async () => {
    await initialise([passphrase]);
    await backup([passphrase], 'b');
    const wrong: UnlockKey[] = [{ kind: 'passphrase', passphrase: 'incorrect' }, parseKeyFile(newKeyFile())];
    await expect(opens(wrong, 'b')).rejects.toThrow(LockedError);
    await expect(opens([], 'b')).rejects.toMatchObject({
      code: 'vault.locked',
      slots: [expect.stringMatching(/^passphrase ops \([0-9a-f]{16}\)$/)],
    });
    await expect(backup([], 'b2')).rejects.toThrow(LockedError);
  });

  it('are needed for the first backup of an encrypted collection, and not to list it', async () => {
    await initialise([passphrase]);
    await expect(backup([], 'b')).rejects.toThrow(KeyRequiredError);
    await backup([passphrase], 'b');
    const repository = await openRepository(folder.path);
    const ids: string[] = [];
    for await (const found of repository.collection('c').listBackups())
      if ('manifest' in found) ids.push(found.manifest.backup);
    expect(ids).toEqual(['b']);
    expect(await repository.collections()).toEqual(['c']);
    await repository.close();
  });

  it('can be added and removed without touching data', async () => {
    const file = parseKeyFile(newKeyFile(), 'second');
    await initialise([passphrase]);
    await backup([passphrase], 'b');
    const before = (await objectsIn(folder.path)).filter((name) => !name.includes('/keys/'));
    const repository = await openRepository(folder.path, { keys: [passphrase], scrypt });
    const collection = repository.collection('c');
    await collection.addKey(file);
    expect(await opens([file], 'b')).toBe(true);
    const slots = (await collection.keyring())!.slots;
    expect(slots.map(({ kind, name }) => [kind, name])).toEqual([
      ['passphrase', 'ops'],
      ['keyFile', 'second'],
    ]);
    await collection.removeKey(slots[1]!.id);
    await expect(opens([file], 'b')).rejects.toThrow(LockedError);
    expect(await opens([passphrase], 'b')).toBe(true);
    expect((await objectsIn(folder.path)).filter((name) => !name.includes('/keys/'))).toEqual(before);
    await repository.close();
  });

  it('can be rotated: new objects get a new data key, old ones stay readable, chains go on', async () => {
    await initialise([passphrase]);
    const old = await backup([passphrase], 'b');
    const repository = await openRepository(folder.path, { keys: [passphrase], scrypt });
    const collection = repository.collection('c');
    await collection.rotateKey();
    const writer = await collection.beginBackup(planOf('i', { type: 'incremental', parent: 'b' }));
    await addTree(writer, new Map([...content, ['new', seededBytes(9000, 2)]]));
    const { manifest } = await writer.finish();
    expect(manifest.statistics.bytesNew).toBe(9000);
    expect(manifest.keys).toHaveLength(2);
    expect(manifest.keys).toEqual(expect.arrayContaining([...old.keys]));
    await repository.close();
    for (const id of ['b', 'i']) expect(await opens([passphrase], id)).toBe(true);
  });

  it('can be exported as text that opens the collection, and no other', async () => {
    await initialise([passphrase]);
    await backup([passphrase], 'b');
    const repository = await openRepository(folder.path, { keys: [passphrase] });
    const exported = await repository.collection('c').exportKey();
    await repository.close();
    expect(await opens([parseRecoveryKey(exported)], 'b')).toBe(true);
    const other = parseRecoveryKey(exported) as Extract<UnlockKey, { kind: 'recovery' }>;
    await expect(opens([{ ...other, origin: '0'.repeat(32) }], 'b')).rejects.toThrow(LockedError);
    await expect(opens([{ ...other, master: randomBytes(32) }], 'b')).rejects.toThrow(LockedError);
  });

  it('can be kept by a program or a service that never gives its own key away', async () => {
    const secret = randomBytes(32);
    const kms: ExternalKey = {
      kind: 'kms',
      name: 'vault/transit/backups',
      wrap: async (bytes, context) => wrapSecret(bytes, secret, context),
      unwrap: async (bytes, context) => unwrapSecret(bytes, secret, context)!,
    };
    await initialise([kms]);
    await backup([kms], 'b');
    expect(await opens([kms], 'b')).toBe(true);
    const repository = await openRepository(folder.path);
    expect((await repository.collection('c').keyring())!.slots).toMatchObject([
      { kind: 'kms', portable: false },
    ]);
    await repository.close();
  });

  it('named when the keyring that holds it is gone', async () => {
    await initialise([passphrase]);
    await backup([passphrase], 'b');
    const repository = await openRepository(folder.path, { keys: [passphrase], scrypt });
    await repository.collection('c').rotateKey();
    await repository.close();
    const { keys } = await backup([passphrase], 'b2');
    const newest = (await objectsIn(folder.path)).filter((name) => name.includes('/keys/')).at(-1)!;
    await rm(path.join(folder.path, newest));
    expect(await opens([passphrase], 'b')).toBe(true);
    await backup([passphrase], 'b3').catch(() => undefined);
    const lost = await opens([passphrase], 'b2').catch((error: unknown) => error);
    expect(lost).toMatchObject({ code: 'vault.key-missing', key: keys[0] });
    expect(String(lost)).toContain(`the data key ${keys[0]}, which no keyring holds; it would open b2`);
    const alone = await openRepository(folder.path);
    const { dataKeys } = await alone.collection('c').keyReport();
    expect(dataKeys).toContainEqual({ id: keys[0], state: 'lost', backups: ['b2'] });
    await alone.close();
  });

  it('come to the keyring with the next backup when a definition names one more', async () => {
    const file = parseKeyFile(newKeyFile(), '/etc/second.key');
    await initialise([passphrase]);
    await backup([passphrase], 'b');
    expect(await opens([passphrase], 'b')).toBe(true);
    await expect(opens([file], 'b')).rejects.toThrow(LockedError);
    await backup([passphrase, { ...file, portable: false }], 'b2');
    for (const id of ['b', 'b2']) expect(await opens([file], id)).toBe(true);
    await backup([passphrase, file], 'b3');
    const repository = await openRepository(folder.path);
    const { slots, dataKeys } = await repository.collection('c').keyReport();
    expect(slots.map(({ kind, name, portable }) => [kind, name, portable])).toEqual([
      ['passphrase', 'ops', true],
      ['keyFile', '/etc/second.key', false],
    ]);
    expect(dataKeys).toMatchObject([{ state: 'active', backups: expect.arrayContaining(['b', 'b2', 'b3']) }]);
    await repository.close();
  });

  it('are not taken away when they are the last, or another', async () => {
    await initialise([passphrase]);
    await backup([passphrase], 'b');
    const repository = await openRepository(folder.path, { keys: [passphrase], scrypt });
    const collection = repository.collection('c');
    const [only] = (await collection.keyReport()).slots;
    await expect(collection.removeKey(only!.id)).rejects.toMatchObject({ code: 'vault.last-key' });
    await expect(collection.removeKey('0123456789abcdef')).rejects.toMatchObject({
      code: 'vault.key-slot-unknown',
      remedy: expect.stringContaining(only!.id),
    });
    await repository.close();
    expect(await opens([passphrase], 'b')).toBe(true);
  });

  it('leave neither names nor sizes nor content in clear', async () => {
    await initialise([passphrase]);
    await backup([passphrase], 'b');
    for (const object of await objectsIn(folder.path)) {
      const bytes = await readFile(path.join(folder.path, object));
      expect(object).not.toContain('secret-name');
      expect(bytes.includes('secret-name')).toBe(false);
      expect(bytes.includes(content.get('secret-name.txt')!.subarray(0, 64))).toBe(false);
    }
  });
});

describe('a key as text', () => {
  it('is refused when a character is wrong or missing', () => {
    const text = newKeyFile();
    expect(parseKeyFile(`\n ${text}`)).toMatchObject({ kind: 'keyFile' });
    const other = text.replace(/:(.)/, (_, first: string) => (first === 'A' ? ':B' : ':A'));
    const recovery = text.replace('catena-key-1', 'catena-recovery-1');
    for (const wrong of ['', 'hello', text.slice(0, -3), other, recovery])
      expect(() => parseKeyFile(wrong)).toThrow(MalformedKeyError);
    expect(() => parseRecoveryKey(text)).toThrow(MalformedKeyError);
  });
});
