import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { initialiseRepository, newKeyFile, openRepository, parseKeyFile } from '../index.ts';
import { readBackup, seededBytes, temporaryFolder } from '../testing/index.ts';

const PROGRAM = fileURLToPath(new URL('../testing/crash-program.ts', import.meta.url));
const FILES = 8;

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly output: string;
}

/** When to kill it: at a crash point, or when it has been up for so long. */
interface Death {
  readonly at?: string;
  readonly milliseconds?: number;
}

/** Runs the program, perhaps not to its end. */
function run(args: readonly string[], death: Death = {}): Promise<Ended> {
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    ...(death.at === undefined ? {} : { CATENA_CRASH_AT: death.at }),
  };
  const child = spawn(process.execPath, ['--conditions=@catena/source', PROGRAM, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const timer =
    death.milliseconds === undefined
      ? undefined
      : setTimeout(() => child.kill('SIGKILL'), death.milliseconds);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code !== null && code !== 0) reject(new Error(said));
      else resolve({ code, signal, output });
    });
  });
}

/** Bytes that a process which came to its end has stored. */
function stored({ output }: Ended): number {
  return Number(output.split('\n')[0]);
}

describe('a backup whose process is killed', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const key = newKeyFile();
  const open = () => openRepository(folder.path, { keys: [parseKeyFile(key)] });
  beforeEach(async () => (folder = await temporaryFolder()));
  afterEach(() => folder.remove());

  async function backupsThere(): Promise<string[]> {
    const repository = await open();
    const found: string[] = [];
    for await (const backup of repository.collection('c').listBackups())
      found.push('manifest' in backup ? backup.manifest.backup : `unreadable ${backup.name}`);
    const report = await repository.collection('c').verify({ depth: 'checksums' });
    expect(report.damages).toEqual([]);
    await repository.close();
    return found;
  }

  async function expectWhole(): Promise<void> {
    expect(await backupsThere()).toEqual(['b']);
    const repository = await open();
    const collection = repository.collection('c');
    expect((await collection.latest())?.backup).toBe('b');
    const tree = await readBackup(collection, 'b');
    expect(tree.size).toBe(FILES);
    let i = 0;
    for (const bytes of tree.values()) expect(bytes.equals(seededBytes(1024 * 1024, i++))).toBe(true);
    await repository.close();
  }

  it.each([
    ['vault.afterPack', 0],
    ['vault.afterPack:4', 0],
    ['vault.afterPacks', 0],
    ['vault.afterMaps', 0],
    ['vault.beforeManifest', 0],
    ['vault.afterManifest', 1],
    ['vault.afterLatest', 1],
  ])('at %s leaves %d backups, and the next attempt ends well', async (point, left) => {
    const killed = await run([folder.path, key, '1', String(FILES)], { at: point });
    expect(killed.signal).toBe('SIGKILL');
    expect(await backupsThere()).toHaveLength(left);
    const next = await run([folder.path, key, '2', String(FILES)]);
    expect(next.code).toBe(0);
    // What the first attempt made durable is not stored again.
    if (left === 0 && point !== 'vault.afterPack') expect(stored(next)).toBeLessThan(FILES * 1024 * 1024);
    await expectWhole();
  });

  it('at any moment leaves no half backup, and the next attempt ends well', async () => {
    const moments =
      process.env['CATENA_TEST_LONG'] === undefined
        ? [350, 500]
        : Array.from({ length: 30 }, (_, i) => 100 + i * 40);
    for (const moment of moments) {
      await run([folder.path, key, '1', String(FILES)], { milliseconds: moment });
      const repository = await open().catch(() => undefined);
      await repository?.close();
      if (repository !== undefined) expect((await backupsThere()).length).toBeLessThanOrEqual(1);
    }
    const next = await run([folder.path, key, '9', String(FILES)]);
    expect(next.code).toBe(0);
    await expectWhole();
  });

  it.each(process.env['CATENA_TEST_LONG'] === undefined ? [90] : [40, 75, 110, 145, 180, 230])(
    'after %d MiB with packs as large as usual: what is stored again is at most 64 MB',
    async (files) => {
      const all = process.env['CATENA_TEST_LONG'] === undefined ? 140 : 240;
      const args = (attempt: string) => [folder.path, key, attempt, String(all), 'large'];
      const killed = await run([...args('1'), String(files)]);
      expect(killed.signal).toBe('SIGKILL');
      const next = await run(args('2'));
      const again = files * 1024 * 1024 + stored(next) - all * 1024 * 1024;
      expect(again).toBeLessThanOrEqual(64_000_000);
      expect(stored(next)).toBeLessThan(all * 1024 * 1024);
      const repository = await open();
      const { manifest } = await repository.collection('c').backup('b');
      // The packs that were taken over are listed with the attempt that made them.
      expect(manifest.volumes.map(({ attempt }) => attempt).sort()).toEqual([1, 2]);
      expect((await repository.collection('c').verify({ depth: 'checksums' })).damages).toEqual([]);
      await repository.close();
    },
  );

  it('two processes that write one backup of one run end with one manifest, and both tell of the same', async () => {
    for (let round = 0; round < (process.env['CATENA_TEST_LONG'] === undefined ? 1 : 10); round++) {
      const place = await temporaryFolder();
      const repository = await initialiseRepository(place.path, {
        keys: [parseKeyFile(key)],
        installation: 'here',
      });
      const ended = await Promise.all(
        ['1', '2'].map((attempt) => run([place.path, key, attempt, String(FILES)])),
      );
      expect(ended.map(({ code }) => code)).toEqual([0, 0]);
      const hashes = new Set(ended.map(({ output }) => output.split('\n').at(-2)));
      const found: string[] = [];
      for await (const one of repository.collection('c').listBackups())
        found.push('manifest' in one ? one.ref.hash : one.name);
      expect([...hashes]).toEqual(found);
      expect(found).toHaveLength(1);
      expect((await repository.collection('c').verify({ depth: 'checksums' })).damages).toEqual([]);
      await repository.close();
      await place.remove();
    }
  });
});
