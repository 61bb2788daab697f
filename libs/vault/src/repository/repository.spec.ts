import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { UnlockKey } from '../index.ts';
import {
  initialiseRepository,
  newKeyFile,
  NewerFormatError,
  NotARepositoryError,
  openRepository,
  parseKeyFile,
  RepositoryExistsError,
} from '../index.ts';
import { sealDocument } from '../manifest/sealed-document.ts';
import { addTree, flipBit, planOf, seededBytes, swapObjects, temporaryFolder } from '../testing/index.ts';
import { decodeName, encodeName } from './layout.ts';

describe('a repository', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => (folder = await temporaryFolder()));
  afterEach(() => folder.remove());

  it('is made once, and opened by name afterwards', async () => {
    await expect(openRepository(folder.path)).rejects.toThrow(NotARepositoryError);
    const made = await initialiseRepository(folder.path, { installation: 'here' });
    expect(made.encrypted).toBe(false);
    await expect(initialiseRepository(folder.path, { installation: 'there' })).rejects.toThrow(
      RepositoryExistsError,
    );
    const opened = await openRepository(`file://${folder.path}`);
    expect(opened.id).toBe(made.id);
    await made.close();
    await opened.close();
  });

  it('is encrypted when keys are given, and may be told not to', async () => {
    const keys = [parseKeyFile(newKeyFile())];
    const encrypted = await initialiseRepository(path.join(folder.path, 'a'), { keys, installation: 'here' });
    const told = { keys, installation: 'here', encryption: 'none' } as const;
    const plain = await initialiseRepository(path.join(folder.path, 'b'), told);
    expect([encrypted.encrypted, plain.encrypted]).toEqual([true, false]);
    await encrypted.close();
    await plain.close();
  });

  it('says which installation owns it, also after it was handed over', async () => {
    const repository = await initialiseRepository(folder.path, { installation: 'here' });
    expect(await repository.owner()).toMatchObject({ installation: 'here', number: 1 });
    expect(await repository.takeOwnership('here')).toMatchObject({ number: 1 });
    expect(await repository.takeOwnership('there')).toMatchObject({ number: 2 });
    expect(await repository.owner()).toMatchObject({ installation: 'there' });
    await repository.close();
  });

  it('of a newer version is refused, not misread', async () => {
    await (await initialiseRepository(folder.path, { installation: 'here' })).close();
    const file = path.join(folder.path, 'catena/repository.json');
    const { seal: _seal, ...document } = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
    await writeFile(file, sealDocument({ ...document, version: 2 }));
    await expect(openRepository(folder.path)).rejects.toThrow(NewerFormatError);
  });

  it('keeps collections of any name apart', async () => {
    const repository = await initialiseRepository(folder.path, { installation: 'here' });
    const ids = ['photos', 'catena', 'a/b', '../up', '.hidden', 'Ünïcode 🗄', 'x'.repeat(60), '%41'];
    for (const id of ids) {
      const writer = await repository.collection(id).beginBackup(planOf(`b of ${id}`));
      await addTree(writer, new Map([['name', Buffer.from(id)]]));
      await writer.finish();
    }
    expect((await repository.collections()).sort()).toEqual([...ids].sort());
    for (const id of ids) {
      expect(decodeName(encodeName(id))).toBe(id);
      const reader = await repository.collection(id).openBackup(`b of ${id}`);
      for await (const entry of reader.entries())
        for await (const chunk of reader.content(entry)) expect(Buffer.from(chunk).toString()).toBe(id);
    }
    await repository.close();
  });

  it.each([true, false])('keeps exports of the event log (encrypted: %s)', async (encrypted) => {
    const keys: UnlockKey[] = encrypted ? [parseKeyFile(newKeyFile())] : [];
    const repository = await initialiseRepository(folder.path, { keys, installation: 'here' });
    const logs = repository.exportedLogs();
    const pieces = [Buffer.from('{"event":1}\n'.repeat(1000)), seededBytes(100_000), Buffer.from('end')];
    for (const name of ['events 1-1000', 'events 1001-2000']) {
      const log = await logs.create(name);
      for (const piece of pieces) await log.append(piece);
      await log.finish();
    }
    await expect(logs.create('events 1-1000')).rejects.toMatchObject({ code: 'vault.log-exists' });
    const found = await logs.list();
    expect(found.map(({ name }) => name)).toEqual(['events 1-1000', 'events 1001-2000']);
    const read = async (name: string) => {
      const all: Buffer[] = [];
      for await (const piece of logs.read(name)) all.push(piece);
      return all;
    };
    for (const { name } of found) expect(await read(name)).toEqual(pieces);
    expect(await repository.collections()).toEqual([]);

    const [one, two] = ['catena/log/events%201-1000', 'catena/log/events%201001-2000'] as const;
    await swapObjects(folder.path, one, two);
    await expect(read('events 1-1000')).rejects.toMatchObject({ code: 'vault.damaged' });
    await swapObjects(folder.path, one, two);
    for (const at of [0.1, 0.5, 0.9, 0.999]) {
      await flipBit(folder.path, one, at);
      await expect(read('events 1-1000')).rejects.toMatchObject({ code: 'vault.damaged' });
      await flipBit(folder.path, one, at);
    }
    expect(await read('events 1-1000')).toEqual(pieces);
    await repository.close();
  });
});
