import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newKeyFile, openRepository, parseKeyFile } from '../index.ts';
import { readTree, seededBytes, temporaryFolder } from '../testing/index.ts';

const PROGRAM = fileURLToPath(new URL('../testing/crash-program.ts', import.meta.url));
const FILES = 8;

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly output: string;
}

/** Runs the program; `killAfter` kills it as soon as it has been up for so many milliseconds. */
function run(args: readonly string[], crashAt?: string, killAfter?: number): Promise<Ended> {
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    ...(crashAt === undefined ? {} : { CATENA_CRASH_AT: crashAt }),
  };
  const child = spawn(process.execPath, ['--conditions=@catena/source', PROGRAM, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, output });
    });
  });
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
    const tree = await readTree(await collection.openBackup('b'));
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
    const killed = await run([folder.path, key, '1', String(FILES)], point);
    expect(killed.signal).toBe('SIGKILL');
    expect(await backupsThere()).toHaveLength(left);
    const next = await run([folder.path, key, '2', String(FILES)]);
    expect(next.code).toBe(0);
    // What the first attempt made durable is not stored again.
    if (left === 0 && point !== 'vault.afterPack')
      expect(Number(next.output)).toBeLessThan(FILES * 1024 * 1024);
    await expectWhole();
  });

  it('at any moment leaves no half backup, and the next attempt ends well', async () => {
    const moments =
      process.env['CATENA_TEST_LONG'] === undefined
        ? [350, 500]
        : Array.from({ length: 30 }, (_, i) => 100 + i * 40);
    for (const moment of moments) {
      await run([folder.path, key, '1', String(FILES)], undefined, moment);
      const repository = await open().catch(() => undefined);
      await repository?.close();
      if (repository !== undefined) expect((await backupsThere()).length).toBeLessThanOrEqual(1);
    }
    const next = await run([folder.path, key, '9', String(FILES)]);
    expect(next.code).toBe(0);
    await expectWhole();
  });
});
