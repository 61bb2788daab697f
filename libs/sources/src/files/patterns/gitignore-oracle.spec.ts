/**
 * Patterns by chance mean here what they mean to git. Two stars beside other characters of a name are left out: git
 * itself takes them for one star or for a `**`, depending on whether what stands before them is plain text.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { byteStringOf } from '../../system-calls/index.ts';
import { Selection } from './selection.ts';

const hasGit = spawnSync('git', ['--version']).status === 0;

const fileNames = ['a', 'b', 'ab', 'a.o', 'A', '.a', 'a b', 'b]', '#a', '!b', 'a*', 'é'];
const folderNames = ['a', 'b', 'ab.d'];

/** Every file name in every folder, three deep; folders end with a slash. */
function everyPath(above = '', depth = 0): string[] {
  const files = fileNames
    .filter((name) => depth > 2 || !folderNames.includes(name))
    .map((name) => `${above}${name}`);
  if (depth > 2) return files.slice(0, 6);
  const folders = folderNames.flatMap((name) => [
    `${above}${name}/`,
    ...everyPath(`${above}${name}/`, depth + 1),
  ]);
  return [...files, ...folders];
}
const paths = everyPath();

const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'ab', 'A', '.', 'o', 'd', 'é') },
  {
    weight: 3,
    arbitrary: fc.constantFrom('*', '?', '[ab]', '[!a]', '[^b]', '[a-z]', '[[:upper:]]', '[]b]'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('\\*', '\\a', '\\]', '[', ']', ' ', '\\ ', '#', '!', '[a', '[\\]]'),
  },
);
const segment = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .array(piece, { minLength: 1, maxLength: 3 })
      .map((pieces) => pieces.join('').replace(/\*+/g, '*')),
  },
  { weight: 2, arbitrary: fc.constantFrom('**', '*', 'a', 'b') },
);
const line = fc
  .record({
    negated: fc.constantFrom('', '', '', '!'),
    rooted: fc.constantFrom('', '', '/'),
    segments: fc.array(segment, { minLength: 1, maxLength: 3 }),
    end: fc.constantFrom('', '', '/', ' ', '\\'),
  })
  .map(({ negated, rooted, segments, end }) => `${negated}${rooted}${segments.join('/')}${end}`);

(hasGit ? describe : describe.skip)('exclude patterns (needs git)', () => {
  let repository: string;
  beforeAll(() => {
    repository = fs.mkdtempSync(path.join(os.tmpdir(), 'catena-gitignore-'));
    spawnSync('git', ['init', '-q'], { cwd: repository });
    for (const shown of paths) {
      if (shown.endsWith('/')) fs.mkdirSync(path.join(repository, shown), { recursive: true });
      else fs.writeFileSync(path.join(repository, shown), '');
    }
  });
  afterAll(() => fs.rmSync(repository, { recursive: true, force: true }));

  function ignoredByGit(lines: readonly string[]): Set<string> {
    fs.writeFileSync(path.join(repository, '.git', 'info', 'exclude'), lines.join('\n') + '\n');
    const { stdout } = spawnSync('git', ['check-ignore', '--no-index', '-z', '--stdin'], {
      cwd: repository,
      input: paths.map((shown) => `./${shown.replace(/\/$/, '')}\0`).join(''),
      encoding: 'utf8',
    });
    return new Set(stdout.split('\0').map((shown) => shown.replace(/^\.\//, '')));
  }

  function leftOutHere(lines: readonly string[]): Set<string> {
    const selection = new Selection({ exclude: lines });
    const left = new Set<string>();
    for (const shown of paths) {
      const bare = shown.replace(/\/$/, '');
      const isLeft =
        left.has(path.dirname(bare)) ||
        selection.choose(byteStringOf(Buffer.from(bare)), shown.endsWith('/'), true) === 'skip';
      if (isLeft) left.add(bare);
    }
    return left;
  }

  it('leave out what git ignores, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), (lines) => {
        const git = ignoredByGit(lines);
        const here = leftOutHere(lines);
        const wrong = paths
          .map((shown) => shown.replace(/\/$/, ''))
          .filter((bare) => git.has(bare) !== here.has(bare));
        expect({
          lines,
          wrong: wrong.map((bare) => `${bare}: ${git.has(bare) ? 'ignored' : 'kept'} by git`),
        }).toEqual({
          lines,
          wrong: [],
        });
      }),
      { numRuns: process.env['CATENA_TEST_LONG'] === '1' ? 2000 : 40 },
    );
  });
});
