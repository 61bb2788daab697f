import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { initialiseRepository, newKeyFile, openRepository, parseKeyFile, type SlotKey } from '@catena/vault';
import { addTree, flipBit, objectsIn, planOf, seededBytes } from '@catena/vault/testing';
import { scenarioFolder } from '../platform/test-platform.ts';

const TOOL = fileURLToPath(new URL('../../tools/vault-reader/', import.meta.url));
const GOLDEN = fileURLToPath(new URL('../golden/vault/', import.meta.url));
const isRoot = process.getuid?.() === 0;
const folder = scenarioFolder();
/** As it would lie next to a repository: away from everything else of the project. */
const tool = path.join(folder, 'vault-reader');

let targets = 0;
const freshTarget = () => path.join(folder, `restored-${(targets += 1)}`);

function read(...args: string[]): { code: number | null; out: string; err: string; bytes: Buffer } {
  const env = { PATH: process.env['PATH'] };
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--no-warnings', path.join(tool, 'vault-reader.mjs'), ...args],
    { env, maxBuffer: 1 << 28 },
  );
  return { code: status, out: stdout.toString(), err: stderr.toString(), bytes: stdout };
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

beforeAll(() => {
  cpSync(TOOL, tool, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('uses nothing but what node brings', () => {
  for (const name of readdirSync(TOOL).filter((file) => file.endsWith('.mjs'))) {
    const imported = [...readFileSync(path.join(TOOL, name), 'utf8').matchAll(/^import .* from '(.+)';$/gm)];
    for (const [, from = ''] of imported) expect(from).toMatch(/^(node:|\.\/[a-z-]+\.mjs$)/);
  }
});

interface Expected {
  entries: {
    path: string;
    kind: string;
    mode: number;
    uid: number;
    gid: number;
    mtime: string;
    size: string;
    sha256: string;
    linkTarget?: string;
    hardLink?: string;
    xattrs?: [string, string][];
  }[];
}

const versions = readdirSync(GOLDEN).filter((name) => /^v\d+(-|$)/.test(name));
const vaults = versions.flatMap((version) => ['encrypted', 'plain'].map((kind) => `${version}/${kind}`));

describe.each(vaults)('the golden vault %s', (name) => {
  const root = path.join(GOLDEN, name);
  const key = name.endsWith('plain')
    ? []
    : ['--key-file', path.join(GOLDEN, path.dirname(name), 'vault.key')];
  const expected = JSON.parse(readFileSync(`${root}.expected.json`, 'utf8')) as Record<string, Expected>;

  it('is listed without a key', () => {
    const { code, out } = read('list', root);
    expect(code).toBe(0);
    const listed = out.match(/^\S+ {2}\S+/gm)?.map((line) => line.split('  ')[1]);
    expect(listed?.sort()).toEqual(Object.keys(expected).sort());
  });

  it('is read back whole, with what a repair has mended', () => {
    const { code, out, err } = read('verify', root, ...key);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const right = Object.keys(expected).map((backup) => `${backup}: right`);
    expect(out.trimEnd().split('\n').sort()).toEqual(right.sort());
  });

  it.each(Object.entries(expected))('gives back %s as it was', (backup, { entries }) => {
    const target = freshTarget();
    const { code, err } = read('restore', root, backup, target, ...key);
    // Only root may set owners and make devices.
    expect(code).toBe(isRoot ? 0 : 7);
    const there = readdirSync(target, { recursive: true, encoding: 'latin1' });
    const wanted = entries.filter(
      ({ kind, path: file }) => file !== '' && (isRoot || !kind.endsWith('Device')),
    );
    expect(there.sort()).toEqual(wanted.map((entry) => entry.path).sort());
    for (const entry of wanted) {
      const file = Buffer.concat([Buffer.from(`${target}/`), Buffer.from(entry.path, 'latin1')]);
      const status = lstatSync(file, { bigint: true });
      if (entry.hardLink !== undefined) {
        expect(status.ino).toBe(lstatSync(path.join(target, entry.hardLink), { bigint: true }).ino);
        continue;
      }
      if (entry.kind === 'symlink') expect(readlinkSync(file)).toBe(entry.linkTarget);
      else expect(Number(status.mode) & 0o7777).toBe(entry.mode);
      if (isRoot) expect([Number(status.uid), Number(status.gid)]).toEqual([entry.uid, entry.gid]);
      expect(Math.abs(Number(status.mtimeNs - BigInt(entry.mtime)))).toBeLessThan(2_000);
      if (entry.kind === 'file') expect(sha256(readFileSync(file))).toBe(entry.sha256);
    }
    expect(readFileSync(`${target}.attributes`, 'utf8')).toBe('# file: pages.db\nuser.comment=0x00ff\n');
    expect(err).toContain(`setfattr -h --restore=${target}.attributes`);
  });

  it('gives back its exported log', () => {
    const names = read('logs', root).out;
    expect(names).toBe('events 1-2\n');
    expect(read('log', root, 'events 1-2', ...key).out).toBe('{"event":1}\n{"event":2}\n');
  });

  it('lists entries with names of any bytes, and the warnings', () => {
    const { out, err } = read('files', root, 'inc-1', ...key);
    expect(out).toContain('  n\\xff\\xfe\n');
    expect(out).toContain('  link -> ../elsewhere\n');
    expect(err).toContain('gone went away (FILE_VANISHED)');
    expect(read('cat', root, 'inc-1', 'n\\xff\\xfe', ...key).out).toBe('a name that is not UTF-8');
  });
});

describe('a vault of today', () => {
  const root = path.join(folder, 'vault');
  const secret = path.join(folder, 'passphrase');
  const recovery = path.join(folder, 'recovery');
  const big = seededBytes(9_000_000, 1);
  const changed = Buffer.from(big);
  seededBytes(8192, 2).copy(changed, 123 * 8192);
  const first = new Map<string, Uint8Array>([
    ['big.img', big],
    ['deep/er/über.txt', Buffer.from('ü')],
    ['dump.sql', seededBytes(600_000, 3)],
    ['zeros', Buffer.alloc(3_000_000)],
  ]);
  const second = new Map([...first, ['big.img', changed], ['new', Buffer.from('new')]] as [string, Buffer][]);

  const further = Buffer.from(changed);
  seededBytes(8192, 9).copy(further, 8192);
  const third = new Map([...second, ['big.img', further]] as [string, Buffer][]);

  beforeAll(async () => {
    const keys: SlotKey[] = [
      parseKeyFile(newKeyFile(), 'key file'),
      { kind: 'passphrase', passphrase: 'Käse und Brot', name: 'passphrase' },
    ];
    await (await initialiseRepository(root, { keys, installation: 'here' })).close();
    const repository = await openRepository(root, { keys });
    const collection = repository.collection('.the collection');
    for (const [id, tree, more] of [
      ['full', first, {}],
      [
        'incremental',
        second,
        { type: 'incremental', parent: 'full', startedAt: new Date('2026-11-21T00:00:00Z') },
      ],
    ] as const) {
      // Without threads, so that what is new of an incremental lies in one pack.
      const writer = await collection.beginBackup(planOf(id, more), { packBytes: 4 << 20, workers: 0 });
      await addTree(writer, tree, (file) => file === 'zeros');
      await writer.finish({ position: { end: '1' } });
    }
    // As a source does that knows what changed and has not read the rest.
    const writer = await collection.beginBackup(
      planOf('changes', {
        type: 'incremental',
        parent: 'incremental',
        startedAt: new Date('2026-11-22T00:00:00Z'),
      }),
    );
    for await (const entry of writer.previous())
      await writer.add(
        entry,
        Buffer.from(entry.path).toString() === 'big.img'
          ? {
              before: entry,
              size: entry.size,
              changes: [{ offset: 8192n, bytes: third.get('big.img')!.subarray(8192, 16_384) }],
            }
          : { asBefore: entry },
      );
    await writer.finish({ position: { end: '2' } });
    writeFileSync(recovery, await collection.exportKey());
    await repository.close();
    writeFileSync(secret, 'Käse und Brot\n');
  });

  it('is restored with its passphrase and with a recovery key', () => {
    for (const [key, backup, tree] of [
      [['--passphrase-file', secret], 'latest', third],
      [['--passphrase-file', secret], 'incremental', second],
      [['--key-file', recovery], 'full', first],
    ] as const) {
      const target = freshTarget();
      const { code, err } = read('restore', root, backup, target, ...key);
      expect({ code, err: isRoot ? err : '' }).toEqual({ code: isRoot ? 0 : 5, err: '' });
      for (const [file, bytes] of tree)
        expect(sha256(readFileSync(path.join(target, file)))).toBe(sha256(bytes));
    }
  });

  it('gives one file, or one folder', () => {
    const key = ['--passphrase-file', secret];
    expect(sha256(read('cat', root, 'incr', 'dump.sql', ...key).bytes)).toBe(sha256(second.get('dump.sql')!));
    const target = freshTarget();
    read('restore', root, 'latest', target, '--only', 'deep', ...key);
    expect(readdirSync(target, { recursive: true }).sort()).toEqual(['deep', 'deep/er', 'deep/er/über.txt']);
    expect(read('restore', root, 'latest', freshTarget(), '--only', 'nowhere', ...key)).toMatchObject({
      code: 1,
      err: expect.stringContaining('has nothing at nowhere'),
    });
  });

  it('says what is missing to read it, and leaves a full folder alone', () => {
    const other = path.join(folder, 'other');
    writeFileSync(other, 'another passphrase\n');
    const target = freshTarget();
    for (const [args, message] of [
      [['restore', root, 'full', target], /is encrypted: give --key-file/],
      [
        ['restore', root, 'full', target, '--passphrase-file', other],
        /opens none of the slots .* passphrase "passphrase"/,
      ],
      [['restore', root, 'none', target, '--passphrase-file', secret], /there is no backup none/],
      [['restore', root, 'full', folder, '--passphrase-file', secret], /is not empty/],
      [['list', folder], /is no repository/],
    ] as const) {
      const { code, err } = read(...args);
      expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(message) });
    }
    expect(existsSync(target)).toBe(false);
    expect(read('restore')).toMatchObject({
      code: 2,
      err: expect.stringContaining('REPOSITORY BACKUP FOLDER'),
    });
  });

  it('names what is damaged, and restores everything else', async () => {
    const key = ['--passphrase-file', secret];
    const damaged = path.join(folder, 'damaged');
    cpSync(root, damaged, { recursive: true });
    const pack = (await objectsIn(damaged)).find(
      (name) => name.includes('incremental/') && name.includes('pack-'),
    )!;
    await flipBit(damaged, pack, 0.1);
    expect(read('verify', root, ...key)).toMatchObject({ code: 0, err: '' });
    const verified = read('verify', damaged, ...key);
    // What is small shares a unit with the block that changed.
    expect(verified).toMatchObject({
      code: 7,
      out: 'full: right\nincremental: 3 damages\nchanges: 3 damages\n',
    });
    expect(verified.err).toContain(`big.img: ${pack} is damaged at offset 64`);
    expect(verified.err).toContain(`${pack} is damaged: its SHA-256 is not the one at its end`);
    const target = freshTarget();
    const restored = read('restore', damaged, 'latest', target, ...key);
    expect(restored.code).toBe(7);
    expect(restored.err).toContain('big.img');
    expect(readdirSync(target).sort()).toEqual(['deep', 'dump.sql', 'zeros']);
    expect(lstatSync(path.join(target, 'zeros')).blocks).toBe(0);
    rmSync(path.join(damaged, pack));
    expect(read('verify', damaged, ...key).err).toContain(`${pack} is missing`);
  });

  it.each([
    ['header', 0, 'its header is not the one'],
    ['contents table', -65, 'its SHA-256 is not the one'],
    ['SHA-256', -17, 'its SHA-256 is not the one'],
    ['end', -1, 'it has no end'],
  ])('names an object whose %s is damaged, though everything can be restored', async (_, at, message) => {
    const key = ['--passphrase-file', secret];
    const damaged = path.join(folder, 'damaged');
    rmSync(damaged, { recursive: true, force: true });
    cpSync(root, damaged, { recursive: true });
    const [object = ''] = (await objectsIn(damaged)).filter((name) => /\/(pack|tree)-\d+$/.test(name));
    const bytes = readFileSync(path.join(damaged, object));
    bytes[at < 0 ? bytes.length + at : at]! ^= 1;
    writeFileSync(path.join(damaged, object), bytes);
    const { code, err } = read('verify', damaged, ...key);
    expect(code).toBe(7);
    expect(err).toContain(`${object} is damaged: ${message}`);
    expect(read('restore', damaged, 'latest', freshTarget(), ...key).code).toBe(isRoot ? 0 : 5);
  });
});
