import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { fetchNatsFromApt } from './fetch-from-apt.ts';
import { findNatsServer } from './find-nats-server.ts';

/** A program that says it is nats-server of some version: what is tested is the choice. */
async function impostor(folder: string, version: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, 'nats-server');
  await writeFile(file, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  await chmod(file, 0o755);
  return file;
}

describe('where nats-server is looked for', () => {
  it('takes the one that is named, and says what is wrong with it', async () => {
    await using folder = await temporaryFolder();
    const good = await impostor(path.join(folder.path, 'good'), '2.14.0');
    const old = await impostor(path.join(folder.path, 'old'), '2.9.10');
    const env = { CATENA_CACHE: path.join(folder.path, 'cache') };
    expect(await findNatsServer({ env: { ...env, CATENA_NATS_SERVER: good } })).toEqual({
      path: good,
      version: '2.14.0',
      from: 'CATENA_NATS_SERVER',
    });
    await expect(findNatsServer({ env: { ...env, CATENA_NATS_SERVER: old } })).rejects.toMatchObject({
      code: 'embedded.nats-unsuitable',
      message: expect.stringContaining('2.9.10'),
    });
    await expect(findNatsServer({ env: { ...env, CATENA_NATS_SERVER: '/nowhere' } })).rejects.toMatchObject({
      code: 'embedded.nats-unsuitable',
    });
  });

  it('passes over one on PATH that is too old, and takes the newest of the cache', async () => {
    await using folder = await temporaryFolder();
    const inPath = path.join(folder.path, 'path');
    await impostor(inPath, '2.9.10');
    const cache = path.join(folder.path, 'cache', 'nats-server');
    await impostor(path.join(cache, `2.9.0-${process.arch}`), '2.9.0');
    await impostor(path.join(cache, `2.12.3-${process.arch}`), '2.12.3');
    const newest = await impostor(path.join(cache, `2.13.0-${process.arch}`), '2.13.0');
    const env = { PATH: inPath, CATENA_CACHE: path.join(folder.path, 'cache') };
    expect((await findNatsServer({ env })).path).toBe(newest);
  });

  it('says what to do where it cannot be fetched', async () => {
    await using folder = await temporaryFolder();
    await writeFile(path.join(folder.path, 'os-release'), 'ID=plan9\n');
    const options = {
      target: folder.path,
      onProgress: () => undefined,
      osRelease: path.join(folder.path, 'os-release'),
    };
    await expect(fetchNatsFromApt(options)).rejects.toMatchObject({
      code: 'embedded.nats-fetch-failed',
      remedy: expect.stringContaining('CATENA_NATS_SERVER'),
    });
    await writeFile(options.osRelease, 'ID=debian\nVERSION_CODENAME=bookworm\n');
    await expect(fetchNatsFromApt({ ...options, aptFolder: folder.path })).rejects.toMatchObject({
      message: expect.stringContaining('no main archive'),
    });
  });
});
