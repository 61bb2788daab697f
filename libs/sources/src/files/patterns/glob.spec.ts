import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { byteStringOf } from '../../system-calls/index.ts';
import { compileGlob } from './glob.ts';
import { Selection } from './selection.ts';

const bytes = (text: string) => byteStringOf(Buffer.from(text));

// Patterns, then paths with what gitignore(5) says of them (a slash at the end: a folder).
const table: [patterns: string[], excluded: string[], kept: string[]][] = [
  [['*.log'], ['a.log', 'deep/er/b.log', '.log'], ['a.logs', 'log', 'a.log.txt']],
  [['/build'], ['build', 'build/'], ['src/build', 'builds']],
  [['build/'], ['build/', 'src/build/'], ['build', 'src/build']],
  [['src/build'], ['src/build', 'src/build/'], ['x/src/build']],
  [['**/tmp'], ['tmp', 'a/tmp', 'a/b/tmp/'], ['atmp']],
  [['a/**'], ['a/b', 'a/d/c', 'a/.x'], ['a/', 'b/a']],
  [['a/**/z'], ['a/z', 'a/b/z', 'a/b/c/z'], ['z', 'a/zz', 'b/a/z']],
  [['foo**bar'], ['foobar', 'foo-bar', 'x/fooxxbar'], ['foo/bar']],
  [['/*.c'], ['main.c'], ['sub/main.c']],
  [['*.[oa]'], ['x.o', 'x.a'], ['x.b', 'x.oa']],
  [
    ['[!a]x', '[^b]y'],
    ['bx', 'ay'],
    ['ax', 'by'],
  ],
  [
    ['x[]]y', 'x[]-]z'],
    ['x]y', 'x-z', 'x]z'],
    ['xy', 'x[]]y'],
  ],
  [
    ['[a-c]1', '[z-a]2'],
    ['a1', 'b1', 'c1', 'z2'],
    ['d1', 'a2'],
  ],
  [['[[:digit:]]*'], ['1', '9lives'], ['x1', ':digit:']],
  [['[[:space:][:upper:]]'], [' ', 'Q'], ['q', 'QQ']],
  [['open[', 'open[a'], [], ['open[', 'open[a', 'opena']],
  [['trailing\\'], [], ['trailing', 'trailing\\']],
  [['?at'], ['cat', 'a/bat'], ['at', 'c/at', 'chat']],
  [
    ['\\#hash', '\\!bang', 'q\\?'],
    ['#hash', '!bang', 'q?'],
    ['hash', 'bang', 'qx'],
  ],
  [['# comment', '', '   '], [], ['# comment', 'comment']],
  [
    ['spaces   ', 'kept\\ '],
    ['spaces', 'kept '],
    ['spaces   ', 'kept', 'kept\\'],
  ],
  [
    ['*', '!keep'],
    ['a', 'b/'],
    ['keep', 'keep/'],
  ],
  [['*.x', '!a.x', 'a.x'], ['a.x', 'b.x'], []],
  [['dir/', '!dir/in'], ['dir/', 'dir/in'], []],
  [['dir/*', '!dir/in'], ['dir/out'], ['dir/', 'dir/in']],
  [
    ['a.b', 'c+d', 'e|f', '(g)', '{h,i}', '^j$'],
    ['a.b', 'c+d', 'e|f', '(g)', '{h,i}', '^j$'],
    ['axb', 'cd', 'h'],
  ],
  [['grün*'], ['grün', 'grüner'], ['gr\u0075n']],
  [['a*/b'], ['a/b', 'ax/b'], ['a/x/b', 'ax/c/b']],
  [['/'], [], ['a', 'a/']],
  [['a\\*b'], ['a*b'], ['axb']],
  [['**'], ['a', 'c/b'], []],
  [['***/x', 'y/***'], ['a/x', 'a/b/x', 'x', 'y/a'], ['y/']],
  [['new\nline*'], ['new\nline', 'new\nlines'], ['newline']],
];

/** Whether the path or a folder above it is excluded, as the walk would find out. */
function isExcluded(selection: Selection, shown: string): boolean {
  const isFolder = shown.endsWith('/');
  const parts = shown.replace(/\/$/, '').split('/');
  return parts.some((_, index) => {
    const folder = index < parts.length - 1 || isFolder;
    return selection.choose(bytes(parts.slice(0, index + 1).join('/')), folder, true) === 'skip';
  });
}

describe('exclude patterns have the meaning of gitignore(5)', () => {
  it.each(table)('%j excludes %j and keeps %j', (patterns, excluded, kept) => {
    const selection = new Selection({ exclude: patterns });
    expect(excluded.filter((shown) => !isExcluded(selection, shown))).toEqual([]);
    expect(kept.filter((shown) => isExcluded(selection, shown))).toEqual([]);
  });

  it('matches bytes, so that a name that is not UTF-8 is one character a byte', () => {
    const selection = new Selection({ exclude: ['caf?', 'x*y'] });
    expect(selection.choose(byteStringOf(Buffer.from([0x63, 0x61, 0x66, 0xe9])), false, true)).toBe('skip');
    expect(selection.choose(byteStringOf(Buffer.from([0x78, 0xff, 0xfe, 0x79])), false, true)).toBe('skip');
  });

  it('never takes long for a name made to confuse it', () => {
    const selection = new Selection({ exclude: ['*a'.repeat(30) + 'b'] });
    expect(selection.choose(bytes('a'.repeat(200)), false, true)).toBe('take');
  });
});

const git = spawnSync('git', ['--version']).status === 0;
(git ? describe : describe.skip)('the table agrees with git check-ignore itself', () => {
  let repository: string;
  beforeAll(() => {
    repository = fs.mkdtempSync(path.join(os.tmpdir(), 'catena-globs-'));
    spawnSync('git', ['init', '-q'], { cwd: repository });
  });
  afterAll(() => fs.rmSync(repository, { recursive: true, force: true }));

  function ignoredBy(paths: string[]): string[] {
    if (paths.length === 0) return [];
    for (const shown of paths) {
      const made = path.join(repository, shown);
      fs.mkdirSync(path.dirname(made), { recursive: true });
      if (shown.endsWith('/')) fs.mkdirSync(made, { recursive: true });
      else fs.writeFileSync(made, '');
    }
    const { stdout } = spawnSync('git', ['check-ignore', '--no-index', '-z', '--stdin'], {
      cwd: repository,
      input: paths.map((shown) => `./${shown.replace(/\/$/, '')}\0`).join(''),
      encoding: 'utf8',
    });
    for (const name of fs.readdirSync(repository)) {
      if (name !== '.git') fs.rmSync(path.join(repository, name), { recursive: true });
    }
    return stdout.split('\0').map((shown) => shown.replace(/^\.\//, ''));
  }

  // A line break cannot stand in an ignore file, so that row is Catena's own.
  const rows = table.filter(([patterns]) => !patterns.some((pattern) => pattern.includes('\n')));
  it.each(rows)('%j', (patterns, excluded, kept) => {
    fs.writeFileSync(path.join(repository, '.git', 'info', 'exclude'), patterns.join('\n') + '\n');
    const all = [...excluded, ...kept];
    const isFolder = (shown: string) => shown.endsWith('/');
    // Real files, then real folders, because git looks at what a path is.
    const ignored = [
      ...ignoredBy(all.filter((shown) => !isFolder(shown))),
      ...ignoredBy(all.filter(isFolder)).map((shown) => `${shown}/`),
    ];
    const wrong = all.filter((shown) => ignored.includes(shown) !== excluded.includes(shown));
    expect(wrong).toEqual([]);
  });
});

describe('include patterns', () => {
  const choose = (include: string[], shown: string, parentTaken = false) =>
    new Selection({ include }).choose(bytes(shown.replace(/\/$/, '')), shown.endsWith('/'), parentTaken);

  it('take what matches and everything below it', () => {
    expect(choose(['docs'], 'docs/')).toBe('take');
    expect(choose(['docs'], 'docs/a.txt', true)).toBe('take');
    expect(choose(['docs', '!*.tmp'], 'docs/a.tmp', true)).toBe('skip');
    expect(choose(['docs'], 'other.txt')).toBe('skip');
  });

  it('look into a folder only where something below can match', () => {
    expect(choose(['*.txt'], 'any/')).toBe('look');
    expect(choose(['/home/*/docs'], 'home/')).toBe('look');
    expect(choose(['/home/*/docs'], 'home/ann/')).toBe('look');
    expect(choose(['/home/*/docs'], 'home/ann/docs/')).toBe('take');
    expect(choose(['/home/*/docs'], 'home/ann/music/')).toBe('skip');
    expect(choose(['/home/*/docs'], 'usr/')).toBe('skip');
    expect(choose(['a/**/z'], 'a/b/c/')).toBe('look');
    expect(choose(['a/**/z'], 'b/')).toBe('skip');
  });

  it('lose against exclude', () => {
    const selection = new Selection({ include: ['docs'], exclude: ['*.o'] });
    expect(selection.choose(bytes('docs/x.o'), false, true)).toBe('skip');
  });
});

it('tells a comment from a pattern', () => {
  expect(compileGlob('#x')).toBeUndefined();
  expect(compileGlob('\\#x')?.whole.test('#x')).toBe(true);
});
