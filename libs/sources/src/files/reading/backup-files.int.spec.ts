import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import type { BackupOptions } from '../../port/source-driver.ts';
import { shownName, systemCodeOf } from '../../system-calls/index.ts';
import { asUser } from '../../testing/as-user.ts';
import { InMemoryVaultFake, type FakeWriter } from '../../testing/in-memory-vault-fake.ts';
import { letClockTick, ScratchFolder, seededBytes } from '../../testing/sample-tree.ts';
import { compareWithBackup } from '../comparing/compare-trees.ts';
import { parseFilesSpec, type FilesSpec } from '../files-spec.ts';
import { FilesBackup } from './backup-files.ts';
import type { ReadingMoments } from './file-reading.ts';

let scratch: ScratchFolder;
let vault: InMemoryVaultFake;
beforeEach(() => {
  scratch = new ScratchFolder();
  vault = new InMemoryVaultFake();
});
afterEach(() => scratch.remove());

interface Done {
  id: string;
  writer: FakeWriter;
  warnings: string[];
  paths: string[];
}

async function backup(
  given: Partial<FilesSpec> & {
    parent?: string;
    moments?: ReadingMoments;
    prepare?: (writer: FakeWriter) => void;
  },
  options: BackupOptions = {},
): Promise<Done> {
  const { parent, moments, prepare, ...spec } = given;
  const writer = vault.begin(parent);
  prepare?.(writer);
  const outcome = await new FilesBackup(
    parseFilesSpec({ path: scratch.path, ...spec }),
    writer,
    options,
    moments,
  ).run();
  const { backupId: id } = await writer.finish(outcome.summary);
  expect(outcome.warnings).toBe(writer.warnings.length);
  const paths: string[] = [];
  for await (const entry of vault.open(id).entries()) paths.push(shownName(entry.path));
  const warnings = writer.warnings.map(({ code, path }) => `${code} ${shownName(path)}`);
  return { id, writer, warnings, paths };
}

async function contentOf(id: string, path: string): Promise<string> {
  const reader = vault.open(id);
  const chunks: Buffer[] = [];
  const entry = await reader.find(Buffer.from(path));
  for await (const chunk of reader.content(entry!)) chunks.push(Buffer.from(chunk));
  expect(entry!.size).toBe(BigInt(Buffer.concat(chunks).length));
  return Buffer.concat(chunks).toString();
}

describe('the order of entries', () => {
  it('is canonical: a folder right before its content, whatever its neighbours are called', async () => {
    for (const name of ['a/x', 'a.b', 'a-/y', 'a!', 'ab', 'B', 'z/1/2']) scratch.write(name, name);
    const { paths } = await backup({});
    expect(paths).toEqual(['', 'B', 'a', 'a/x', 'a!', 'a-', 'a-/y', 'a.b', 'ab', 'z', 'z/1', 'z/1/2']);
  });
});

describe('a file that does not hold still', () => {
  it('is read again and taken as it is then', async () => {
    scratch.write('file', 'first');
    let times = 0;
    const { id, warnings } = await backup({
      moments: {
        read: () => {
          times += 1;
          if (times === 1) fs.writeFileSync(scratch.at('file'), 'second time');
        },
      },
    });
    expect(warnings).toEqual([]);
    expect(times).toBe(2);
    expect(await contentOf(id, 'file')).toBe('second time');
  });

  it('is named when it changes every time, and what was read is kept', async () => {
    scratch.write('file', '0');
    let times = 0;
    const { id, warnings } = await backup({
      moments: {
        read: () => {
          times += 1;
          fs.appendFileSync(scratch.at('file'), String(times));
        },
      },
    });
    expect(times).toBe(3);
    expect(warnings).toEqual(['file.changed file']);
    expect(await contentOf(id, 'file')).toBe('012');
  });

  it('is read again by the next backup', async () => {
    scratch.write('file', '0');
    const first = await backup({ moments: { read: () => fs.appendFileSync(scratch.at('file'), '+') } });
    await letClockTick();
    const second = await backup({ parent: first.id });
    expect(second.writer.read).toEqual(['file']);
    expect(await contentOf(second.id, 'file')).toBe('0+++');
  });

  it.each([
    ['grows', (path: string) => fs.appendFileSync(path, 'more')],
    ['is cut short', (path: string) => fs.truncateSync(path, 9_000_000)],
    ['is overwritten', (path: string) => fs.writeFileSync(path, seededBytes(12_000_000, 9))],
  ])('is named when it is too big to be read again and %s', async (_, change) => {
    scratch.write('big', seededBytes(12_000_000, 2));
    scratch.write('next', 'next');
    // The change must not fall into the same tick of the file system's clock as the writing.
    await letClockTick();
    let changed = false;
    const { id, warnings, paths } = await backup({
      prepare: (writer) => {
        writer.onChunk = (path) => {
          if (path !== 'big' || changed) return;
          changed = true;
          change(scratch.at('big'));
        };
      },
    });
    expect(warnings).toEqual(['file.changed big']);
    expect(paths).toEqual(['', 'big', 'next']);
    expect((await contentOf(id, 'big')).length).toBeGreaterThan(0);
  });
});

describe('a file that vanishes', () => {
  it('before it is looked at: a warning, and the rest goes on', async () => {
    for (const name of ['a', 'b', 'c']) scratch.write(name, name);
    const { warnings, paths } = await backup({
      prepare: (writer) => {
        writer.onAdd = (path) => {
          if (path === 'a') fs.rmSync(scratch.at('b'));
        };
      },
    });
    expect(warnings).toEqual(['file.vanished b']);
    expect(paths).toEqual(['', 'a', 'c']);
  });

  it.each([
    ['removed', (path: string) => fs.rmSync(path)],
    [
      'replaced by a link to elsewhere',
      (path: string) => {
        fs.rmSync(path);
        fs.symlinkSync('/etc/passwd', path);
      },
    ],
    [
      'replaced by a FIFO that nobody writes to',
      (path: string) => {
        fs.rmSync(path);
        execFileSync('mkfifo', [path]);
      },
    ],
    [
      'replaced by a folder',
      (path: string) => {
        fs.rmSync(path);
        fs.mkdirSync(path);
      },
    ],
  ])(
    'between look and open, %s: a warning, and nothing of what took its place is read',
    async (_, replace) => {
      for (const name of ['a', 'b', 'c']) scratch.write(name, name);
      const opening = (path: string): void => {
        if (path === 'b') replace(scratch.at('b'));
      };
      const { warnings, paths } = await backup({ moments: { opening } });
      expect(warnings).toEqual(['file.vanished b']);
      expect(paths).toEqual(['', 'a', 'c']);
    },
  );

  it('with a folder around it', async () => {
    for (const name of ['a', 'b/x', 'c']) scratch.write(name, name);
    const { warnings, paths } = await backup({
      prepare: (writer) => {
        writer.onAdd = (path) => {
          if (path === 'b') fs.rmSync(scratch.at('b'), { recursive: true });
        };
      },
    });
    expect(warnings).toEqual(['file.vanished b']);
    expect(paths).toEqual(['', 'a', 'b', 'c']);
  });

  it('leaves its other hard links whole', async () => {
    scratch.write('a', 'shared');
    fs.linkSync(scratch.at('a'), scratch.at('b'));
    fs.linkSync(scratch.at('a'), scratch.at('c'));
    const opening = (path: string): void => {
      if (path === 'a') fs.rmSync(scratch.at('a'));
    };
    const { id, warnings } = await backup({ moments: { opening } });
    expect(warnings).toEqual(['file.vanished a']);
    expect(await contentOf(id, 'b')).toBe('shared');
    expect((await vault.open(id).find(Buffer.from('c')))!.hardLink).toEqual(Buffer.from('b'));
  });
});

describe('what may not be read', () => {
  it('is named: files and folders', async () => {
    for (const name of ['a', 'b/x', 'c']) scratch.write(name, name);
    fs.chmodSync(scratch.path, 0o755);
    fs.chmodSync(scratch.at('a'), 0);
    fs.chmodSync(scratch.at('b'), 0);
    const { warnings, paths } = await asUser(12_345, () => backup({}));
    fs.chmodSync(scratch.at('b'), 0o755);
    expect(warnings).toEqual(['file.unreadable a', 'folder.unreadable b']);
    expect(paths).toEqual(['', 'b', 'c']);
  });

  // The kernel has files that can be opened and answer EIO when they are read; not on every machine.
  const broken = spawnSync('find', ['/sys/devices', '-name', 'autosuspend_delay_ms'], { encoding: 'utf8' })
    .stdout.split('\n')
    .find((file) => file !== '' && failsToRead(file));
  (broken === undefined ? it.skip : it)('is named when the reading itself fails', async () => {
    const { warnings, paths } = await backup({ path: broken! });
    expect(warnings).toEqual(['file.unreadable ']);
    expect(paths).toEqual([]);
  });
});

function failsToRead(file: string): boolean {
  try {
    fs.readFileSync(file);
    return false;
  } catch (error) {
    return systemCodeOf(error) === 'EIO';
  }
}

describe('a backup with a parent', () => {
  it('reads only what changed', async () => {
    for (const name of ['same', 'content', 'inner/same', 'touched', 'mode']) scratch.write(name, `${name} 1`);
    await letClockTick();
    const first = await backup({});
    expect(first.writer.read).toHaveLength(5);
    fs.writeFileSync(scratch.at('content'), 'content 2');
    // Same size and the old mtime: only the ctime tells.
    const { atime, mtime } = fs.statSync(scratch.at('touched'));
    fs.writeFileSync(scratch.at('touched'), 'touched 2');
    fs.utimesSync(scratch.at('touched'), atime, mtime);
    fs.chmodSync(scratch.at('mode'), 0o600);
    scratch.write('new', 'new');
    const second = await backup({ parent: first.id });
    expect(second.writer.read).toEqual(['content', 'mode', 'new', 'touched']);
    expect(await compareWithBackup(vault.open(second.id), scratch.path)).toEqual([]);
  });

  it('leaves out what is gone and follows a file that was moved or whose group lost its first name', async () => {
    scratch.write('a', 'group');
    fs.linkSync(scratch.at('a'), scratch.at('b'));
    scratch.write('gone', 'gone');
    await letClockTick();
    const first = await backup({});
    fs.rmSync(scratch.at('a'));
    fs.rmSync(scratch.at('gone'));
    const second = await backup({ parent: first.id });
    expect(second.paths).toEqual(['', 'b']);
    expect(await contentOf(second.id, 'b')).toBe('group');
  });
});

describe('what is selected', () => {
  it('leaves out what is excluded, with everything below', async () => {
    for (const name of ['keep.txt', 'x.log', 'tmp/a', 'src/build/o', 'src/main.c']) scratch.write(name, name);
    const { paths } = await backup({ exclude: ['*.log', '/tmp', 'build/'] });
    expect(paths).toEqual(['', 'keep.txt', 'src', 'src/main.c']);
  });

  it('is only what is included, with the folders it is in', async () => {
    for (const name of ['docs/a.md', 'docs/b.txt', 'src/deep/c.md', 'src/d.c', 'e.md'])
      scratch.write(name, name);
    const { paths } = await backup({ include: ['*.md'] });
    expect(paths).toEqual(['', 'docs', 'docs/a.md', 'e.md', 'src', 'src/deep', 'src/deep/c.md']);
  });

  it('ends where another file system is mounted, when it is asked to', async () => {
    const { paths } = await backup({ path: '/', include: ['/proc', '/etc/hostname'], oneFileSystem: true });
    expect(paths).toEqual(['', 'etc', 'etc/hostname', 'proc']);
  });

  it('leaves out marked folders but keeps the mark', async () => {
    scratch.write('cache/CACHEDIR.TAG', 'Signature: 8a477f597d28d172789f06886806bc55\n');
    scratch.write('cache/big', 'big');
    scratch.write('false/CACHEDIR.TAG', 'no signature');
    scratch.write('no/.nobackup', '');
    scratch.write('no/secret', 'secret');
    const { paths } = await backup({ excludeCaches: true, excludeIfPresent: ['.nobackup'] });
    expect(paths).toEqual([
      '',
      'cache',
      'cache/CACHEDIR.TAG',
      'false',
      'false/CACHEDIR.TAG',
      'no',
      'no/.nobackup',
    ]);
  });

  it('may be one file', async () => {
    scratch.write('only', 'this');
    const { id, paths } = await backup({ path: scratch.at('only') });
    expect(paths).toEqual(['']);
    expect(await contentOf(id, '')).toBe('this');
  });
});

describe('a running backup', () => {
  it('tells how far it is, and ends at what it expected', async () => {
    for (let n = 0; n < 30; n += 1) scratch.write(`file-${n}`, seededBytes(1000, n));
    const told: { files: number; bytes: number; totalFiles?: number; totalBytes?: number }[] = [];
    await backup({}, { progress: (progress) => told.push(progress) });
    expect(told.at(-1)).toMatchObject({ files: 30, bytes: 30_000, totalFiles: 30, totalBytes: 30_000 });
  });

  it('tells how far it is within a large file, with holes and without', async () => {
    const size = 12_000_000;
    scratch.write('big', seededBytes(size, 4));
    scratch.write('sparse', Buffer.alloc(0));
    fs.truncateSync(scratch.at('sparse'), size);
    const told: { files: number; bytes: number }[] = [];
    const prepare = (writer: FakeWriter): void => {
      // Progress is told ten times a second at most.
      writer.onChunk = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    };
    await backup({ prepare }, { progress: (progress) => told.push(progress) });
    expect(told.some(({ files, bytes }) => files === 0 && bytes > 0 && bytes < size)).toBe(true);
    expect(told.some(({ files, bytes }) => files === 1 && bytes > size && bytes < 2 * size)).toBe(true);
    expect(told.at(-1)).toMatchObject({ files: 2, bytes: 2 * size });
  });

  it('stops when it is cancelled, with the reason', async () => {
    scratch.write('big', seededBytes(20_000_000, 3));
    const cancel = new AbortController();
    const prepare = (writer: FakeWriter): void => {
      writer.onChunk = () => cancel.abort(new Error('a person said so'));
    };
    await expect(backup({ prepare }, { signal: cancel.signal })).rejects.toThrow('a person said so');
  });

  it('ends with the error of the writer', async () => {
    for (let n = 0; n < 100; n += 1) scratch.write(`file-${n}`, 'x');
    const prepare = (writer: FakeWriter): void => {
      writer.onChunk = () => {
        throw new Error('the repository is full');
      };
    };
    await expect(backup({ prepare })).rejects.toThrow('the repository is full');
  });

  it('closes every file it opened', async () => {
    for (let n = 0; n < 50; n += 1) scratch.write(`${n % 7}/file-${n}`, 'x');
    await backup({});
    expect(scratch.openFiles()).toEqual([]);
  });

  it('gives a position that never goes back', async () => {
    const writer = vault.begin();
    const ahead = (BigInt(Date.now() + 3_600_000) * 1_000_000n).toString();
    const outcome = await new FilesBackup({ path: scratch.path }, writer, { previousEnd: ahead }).run();
    expect(outcome.summary.position!.end).toBe((BigInt(ahead) + 1n).toString());
  });
});

describe('a folder that is swapped while it is walked', () => {
  const secret = 'nobody asked for this';

  beforeEach(() => {
    scratch.write('source/a', 'first');
    scratch.write('source/b/inside', 'wanted');
    scratch.write('source/c', 'last');
    scratch.write('outside/inside', secret);
  });

  function swap(): void {
    fs.renameSync(scratch.at('source', 'b'), scratch.at('moved'));
    fs.symlinkSync(scratch.at('outside'), scratch.at('source', 'b'));
  }

  it.each([
    ['before it is looked at', 'a', ['', 'a', 'b', 'c'], []],
    ['between look and entry', 'b', ['', 'a', 'b', 'c'], ['file.vanished b']],
    ['when it is open', 'b/inside', ['', 'a', 'b', 'b/inside', 'c'], []],
  ])('for a link to elsewhere leads nowhere: %s', async (_, when, paths, warnings) => {
    const done = await backup({
      path: scratch.at('source'),
      prepare: (writer) => {
        writer.onAdd = (path) => {
          if (path === when) swap();
        };
      },
    });
    expect(done.paths).toEqual(paths);
    expect(done.warnings).toEqual(warnings);
    if (when === 'b/inside') expect(await contentOf(done.id, 'b/inside')).toBe('wanted');
    if (when === 'a') {
      const link = await vault.open(done.id).find(Buffer.from('b'));
      expect(link?.kind).toBe('symlink');
    }
  });
});
