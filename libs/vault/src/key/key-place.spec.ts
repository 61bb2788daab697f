import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyFile, readKey } from './key-place.ts';

describe('reading a key from its place', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'catena-key-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('reads a generated key file, which only its owner can read', async () => {
    const file = path.join(folder, 'generated.key');
    // As a process of the same number leaves it that was killed.
    await writeFile(`${file}.${process.pid}.new`, '');
    expect(await generateKeyFile(file)).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readKey({ keyFile: { path: file } })).toMatchObject({ kind: 'keyFile' });
  });

  it('never replaces a key file that is there', async () => {
    const file = path.join(folder, 'mine.key');
    await writeFile(file, 'mine');
    expect(await generateKeyFile(file)).toBe(false);
    await expect(readKey({ keyFile: { path: file } })).rejects.toMatchObject({ code: 'vault.malformed-key' });
  });

  it('reads a passphrase without the line break that editors add', async () => {
    const file = path.join(folder, 'passphrase');
    await writeFile(file, 'correct horse\n');
    expect(await readKey({ passphrase: { file } })).toMatchObject({ passphrase: 'correct horse' });
    expect(await readKey({ passphrase: { env: 'P' } }, { P: 'battery' })).toMatchObject({
      passphrase: 'battery',
    });
  });

  it.each(['', '\n', ' \r\n'])('refuses a passphrase file that holds nothing: %j', async (text) => {
    const file = path.join(folder, 'empty');
    await writeFile(file, text);
    await expect(readKey({ passphrase: { file } })).rejects.toMatchObject({
      code: 'vault.key-not-readable',
      message: expect.stringContaining('it is empty') as unknown,
    });
  });

  it('names the file or the variable that is not there, and the remedy', async () => {
    const missing = path.join(folder, 'missing');
    await expect(readKey({ keyFile: { path: missing } })).rejects.toMatchObject({
      code: 'vault.key-not-readable',
      message: expect.stringContaining(missing) as unknown,
    });
    await expect(readKey({ passphrase: { env: 'NOT_SET' } }, {})).rejects.toMatchObject({
      message: expect.stringContaining('NOT_SET') as unknown,
    });
  });
});
