import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { FolderHandle, setExtendedAttribute } from '../../system-calls/index.ts';
import { asUser } from '../../testing/as-user.ts';
import { isRoot, makeSampleTree, ScratchFolder } from '../../testing/sample-tree.ts';
import { compareTrees, type CompareOptions } from './compare-trees.ts';

describe('two trees', () => {
  let scratch: ScratchFolder;
  let b: (name?: string) => string;
  beforeEach(() => {
    scratch = new ScratchFolder();
    makeSampleTree(scratch.at('a'), { deep: false });
    execFileSync('cp', ['-a', scratch.at('a'), scratch.at('b')]);
    b = (name = '') => scratch.at('b', name);
  });
  afterEach(() => scratch.remove());

  const compare = async (options?: CompareOptions) =>
    (await compareTrees(scratch.at('a'), scratch.at('b'), options)).map(
      ({ difference, path }) => `${difference} ${Buffer.from(path).toString()}`,
    );

  /** Changes something and gives its folder and itself their times back. */
  function keepingTimes(name: string, change: () => void): void {
    const file = fs.lstatSync(b(name), { bigint: true }).mtimeNs;
    const root = fs.lstatSync(b(), { bigint: true }).mtimeNs;
    change();
    using folder = FolderHandle.open(Buffer.from(b()));
    folder.setModified(Buffer.from(name), file);
    folder.setModified(Buffer.from('.'), root);
  }

  it('that are equal have no difference', async () => {
    expect(await compare()).toEqual([]);
  });

  const rows: [what: string, expected: string[], change: () => void][] = [
    [
      'content of the same size',
      ['content a'],
      () => keepingTimes('a', () => fs.writeFileSync(b('a'), 'x'.repeat(44))),
    ],
    [
      'content of another size',
      ['content big'],
      () => keepingTimes('big', () => fs.appendFileSync(b('big'), '+')),
    ],
    ['mode', ['mode a.b/x'], () => fs.chmodSync(b('a.b/x'), 0o711)],
    [
      'a nanosecond',
      ['mtime plain.txt'],
      () => {
        using folder = FolderHandle.open(Buffer.from(b()));
        folder.setModified(Buffer.from('plain.txt'), 1_700_000_000_123_456_788n);
      },
    ],
    [
      'where a link leads',
      ['linkTarget dangling'],
      () =>
        keepingTimes('dangling', () => {
          const { uid, gid } = fs.lstatSync(b('dangling'));
          fs.rmSync(b('dangling'));
          fs.symlinkSync('elsewhere', b('dangling'));
          if (isRoot) fs.lchownSync(b('dangling'), uid, gid);
        }),
    ],
    [
      'hard links',
      ['hardLinks linked too'],
      () =>
        keepingTimes('linked too', () => {
          fs.rmSync(b('linked too'));
          execFileSync('cp', ['-a', scratch.at('a', 'linked too'), b('linked too')]);
        }),
    ],
    [
      'attributes',
      ['attributes plain.txt'],
      () =>
        setExtendedAttribute(Buffer.from(b('plain.txt')), Buffer.from('user.bytes'), Buffer.from([0, 255])),
    ],
    ['something missing', ['missing empty'], () => keepingTimes('a', () => fs.rmSync(b('empty')))],
    ['something extra', ['extra zzz'], () => keepingTimes('a', () => fs.writeFileSync(b('zzz'), ''))],
    ['an empty folder', ['mtime a.b', 'missing a.b/empty folder'], () => fs.rmdirSync(b('a.b/empty folder'))],
    [
      'kind',
      ['kind fifo'],
      () =>
        keepingTimes('fifo', () => {
          fs.rmSync(b('fifo'));
          fs.writeFileSync(b('fifo'), '');
        }),
    ],
  ];
  it.each(rows)('that differ in %s: %j', async (_, expected, change) => {
    change();
    expect(await compare()).toEqual(expected);
  });

  (isRoot ? it : it.skip)('that differ in owner, and in a device number', async () => {
    fs.chownSync(b('a'), 5, 6);
    keepingTimes('null', () => {
      fs.rmSync(b('null'));
      execFileSync('mknod', ['-m', '640', b('null'), 'c', '1', '5']);
    });
    expect(await compare()).toEqual(['owner a', 'mode null', 'deviceNumber null']);
  });

  it('are compared in part when asked to, and without what is to be ignored', async () => {
    fs.chmodSync(b('big'), 0o711);
    fs.writeFileSync(b('zzz'), '');
    fs.rmSync(b('empty'));
    expect(await compare({ ignore: ['mode', 'mtime'] })).toEqual(['missing empty', 'extra zzz']);
    expect(await compare({ globs: ['/a.b', '/empty'], ignore: ['mtime'] })).toEqual(['missing empty']);
  });

  it('are compared up to a number of differences', async () => {
    fs.rmSync(b(), { recursive: true });
    fs.mkdirSync(b());
    expect(await compare({ most: 3 })).toHaveLength(3);
  });

  it('say what they could not look at', async () => {
    fs.chmodSync(scratch.path, 0o755);
    fs.chmodSync(b('a.b'), 0);
    const found = await asUser(12_345, () =>
      compare({ globs: ['/a.b'], ignore: ['mode', 'missing', 'owner'] }),
    );
    fs.chmodSync(b('a.b'), 0o700);
    expect(found.filter((text) => text.startsWith('unreadable'))).toContain('unreadable a.b');
  });
});
