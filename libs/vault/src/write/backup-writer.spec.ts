import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EntryOrderError, ForeignContentError, type ContentReader } from '../index.ts';
import { bytesReader, collectionForEach, fileEntry, planOf, seededBytes } from '../testing/index.ts';

const MIB = 1024 * 1024;

describe('writing a backup', () => {
  const vault = collectionForEach();

  it('refuses entries out of order, and content of another backup', async () => {
    await vault.write(planOf('full'), new Map([['a', Buffer.from('1')]]));
    const writer = await vault.collection.beginBackup(planOf('other'));
    await writer.add(fileEntry('b', 1), { read: bytesReader(Buffer.from('1')) });
    await expect(writer.add(fileEntry('a', 1), { read: bytesReader(Buffer.from('1')) })).rejects.toThrow(
      EntryOrderError,
    );
    const reader = await vault.collection.openBackup('full');
    const foreign = (await reader.find(Buffer.from('a')))!;
    await expect(writer.add(fileEntry('c', 1), { asBefore: foreign })).rejects.toThrow(ForeignContentError);
    await expect(writer.add(fileEntry('d', 1))).rejects.toMatchObject({ code: 'vault.content-missing' });
    await writer.finish();
    expect([...(await vault.read('other')).keys()]).toEqual(['b']);
  });

  it('leaves out only the file that cannot be read, small or large', async () => {
    const failing = (bytes: number): ContentReader => ({
      sizeHint: BigInt(bytes),
      async *open() {
        yield seededBytes(bytes / 2);
        throw new Error('EIO');
      },
    });
    const writer = await vault.collection.beginBackup(planOf('b'));
    const results = await Promise.allSettled([
      writer.add(fileEntry('a', 5), { read: bytesReader(Buffer.from('first')) }),
      writer.add(fileEntry('b', 100), { read: failing(100) }),
      writer.add(fileEntry('c', 6), { read: bytesReader(Buffer.from('second')) }),
      writer.add(fileEntry('d', 4 * MIB), { read: failing(4 * MIB) }),
      writer.add(fileEntry('e', 5), { read: bytesReader(Buffer.from('third')) }),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    writer.warn({ path: Buffer.from([0x62, 0xff]), code: 'FILE_NOT_READABLE', message: 'EIO' });
    const { manifest } = await writer.finish();
    expect(manifest).toMatchObject({ warnings: 1, statistics: { entries: 3 } });
    expect([...(await vault.read('b')).keys()]).toEqual(['a', 'c', 'e']);
    const reader = await vault.collection.openBackup('b');
    const warnings = [];
    for await (const warning of reader.warnings()) warnings.push(warning);
    expect(warnings).toEqual([
      { path: Buffer.from([0x62, 0xff]), code: 'FILE_NOT_READABLE', message: 'EIO' },
    ]);
  });

  it('records the size that was read, not the one announced', async () => {
    const writer = await vault.collection.beginBackup(planOf('b'));
    const grown = { ...bytesReader(Buffer.from('grown meanwhile')), sizeHint: 3n };
    const result = await writer.add(fileEntry('a', 3), { read: grown });
    expect(result.bytesRead).toBe(15n);
    await writer.finish();
    const reader = await vault.collection.openBackup('b');
    expect((await reader.find(Buffer.from('a')))?.size).toBe(15n);
  });

  it('tells how far it is in a file that it reads by itself', async () => {
    const image = seededBytes(3 * MIB + 11, 9);
    const told: number[] = [];
    await writeFile(path.join(vault.folder, 'image'), image);
    const handle = await open(path.join(vault.folder, 'image'));
    const file = {
      descriptor: handle.fd,
      size: BigInt(image.length),
      done: () => undefined,
      onRead: (bytes: number) => told.push(bytes),
      failed: (error: unknown) => error,
    };
    const writer = await vault.collection.beginBackup(planOf('b'));
    await writer.add(fileEntry('a.img', image.length), { read: { ...bytesReader(image), file } });
    await writer.finish();
    await handle.close();
    expect(told.length).toBeGreaterThan(1);
    expect(told.reduce((sum, bytes) => sum + bytes)).toBe(image.length);
  });
});
