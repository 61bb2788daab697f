import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scenarioFolder } from '../platform/test-platform.ts';
import { CatenaCommand, type Answer } from './catena-command.ts';

const folder = scenarioFolder();
/** Nothing runs here, and nothing may be made here. */
const home = path.join(folder, 'home');
const catena = new CatenaCommand(home);
const golden = fileURLToPath(new URL('../golden/vault/v1/', import.meta.url));
const repository = ['--repository', path.join(golden, 'encrypted')];
const key = ['--key-file', path.join(golden, 'vault.key')];

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Commands that a help text lists under its headings, without `help` itself. */
function commandsIn(help: string): string[] {
  const listed = [...help.matchAll(/^[A-Z][\w ,]*:\n((?: .*\n)+)/gm)].filter(
    ([block]) => !/^(Arguments|Options|Examples|Exit codes):/.test(block),
  );
  return listed
    .flatMap(([, list = '']) => [...list.matchAll(/^ {2}([a-z]\S*)/gm)].map(([, name = '']) => name))
    .filter((name) => name !== 'help');
}

/** One process answers many questions for help: a process for each took half a minute. */
const askForHelp = `
  const { runCommandLine } = await import('${new URL('../../apps/cli/dist/program.js', import.meta.url).href}');
  const write = process.stdout.write.bind(process.stdout);
  const answers = [];
  for (const names of JSON.parse(process.argv[1])) {
    let out = '';
    process.stdout.write = (text) => (out += text) !== '';
    answers.push({ names, code: await runCommandLine([...names, '--help']), out });
  }
  write(JSON.stringify(answers));
`;

/** Every command with its help, found the way a person finds them. */
function helpOfAll(): Map<string, string> {
  const helps = new Map<string, string>();
  for (let asked: string[][] = [[]]; asked.length > 0;) {
    const child = ['--input-type=module', '-e', askForHelp, JSON.stringify(asked)];
    const answers = JSON.parse(
      execFileSync(process.execPath, child, { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } }),
    ) as { names: string[]; code: number; out: string }[];
    for (const { names, code, out } of answers) {
      expect({ names, code }).toEqual({ names, code: 0 });
      helps.set(names.join(' '), out);
    }
    asked = answers.flatMap(({ names, out }) => commandsIn(out).map((name) => [...names, name]));
  }
  return helps;
}

/** Arguments, options and commands with nothing behind them; long ones are explained on the next line. */
function unexplainedIn(help: string): string[] {
  const lines = (help.split('\nExamples:')[0] ?? '').split('\n');
  return lines.filter(
    (line, index) => /^ {2}\S+(?: [<[]\S+)*$/.test(line) && !/^ {10,}\S/.test(lines[index + 1] ?? ''),
  );
}

describe('help', () => {
  let helps: Map<string, string>;
  beforeAll(() => {
    helps = helpOfAll();
  });

  it('knows every command of the platform', () => {
    const wanted =
      'up, status, apply, get, describe, delete, run, backup, backups, chains, restore, verify, events, runs, ls, cat, find, diff, serve, mount, cancel, pause, resume, key export, key add, catalog rebuild, catalog rescan, log verify, log export, log import, doctor, version, completion, quickstart, restore-points, dead-letters list, dead-letters redeliver, dead-letters discard';
    expect([...helps.keys()]).toEqual(expect.arrayContaining(wanted.split(', ')));
  });

  it('has an example for each command', () => {
    const without = [...helps].filter(
      ([name, help]) =>
        name !== '' && !new RegExp(`^Examples:\n(?: .*\n)*? {2}catena ${name.split(' ')[0]}`, 'm').test(help),
    );
    expect(without.map(([name]) => name)).toEqual([]);
  });

  it('says what each argument and each option is', () => {
    expect(
      [...helps].flatMap(([name, help]) => unexplainedIn(help).map((term) => `${name}: ${term}`)),
    ).toEqual([]);
  });

  it('offers JSON and a data folder on each command that does something', () => {
    const leaves = [...helps].filter(([, help]) => commandsIn(help).length === 0);
    expect(leaves.filter(([, help]) => !help.includes('--json') || !help.includes('--home'))).toEqual([]);
    expect(leaves.length).toBeGreaterThan(30);
  });

  it('documents every exit code, and so does the page on operations', () => {
    const page = readFileSync(fileURLToPath(new URL('../../docs/operations.md', import.meta.url)), 'utf8');
    for (const code of [0, 1, 2, 3, 4, 5, 6, 7, 130]) {
      expect(helps.get('')).toMatch(new RegExp(`^.* ${code}  \\w`, 'm'));
      expect(page).toMatch(new RegExp(`\\b${code} \\w`));
    }
  });

  it('is shown on standard error, with 2, when a command is missing', async () => {
    for (const args of [[], ['catalog'], ['key']]) {
      const { code, out, err } = await catena.run(...args);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toContain('Usage: catena');
    }
  });
});

describe('a wrong command line', () => {
  it.each([
    [['bakup', 'home'], /Unknown command 'bakup'/, /Did you mean backup/],
    [['backup'], /Missing required argument 'source'/, /help/],
    [['restore', 'home', 'notes.txt'], /Too many arguments for 'restore'/, /"catena restore --help"/],
    [['backup', 'home', '--typo'], /Unknown option '--typo'/, /--type/],
    [['backup', 'home', '--type', 'weekly'], /Allowed choices are full, differential, incremental/, /./],
    [['backups', '--limit', '0'], /whole number from 1/, /./],
    [['backups', '--as-of', 'yesterday'], /time with its zone/, /./],
    [['restore', 'home', '--at', '2026-03-01', '--to', 'x'], /time with its zone/, /./],
    [['get', 'sauces'], /"sauces" is not a kind/, /sources, repositories, schedules, subscriptions/],
    [['up', '--instances', 'mover=0'], /from 1 to 9/, /./],
    [['verify'], /Say what to verify/, undefined],
    [['apply', '/nowhere/at/all.yaml'], /There is no file or folder/, undefined],
    [['restore', 'home', '--to', 'x', '--include', ''], /It is empty/, /./],
    [['cat', 'home'], /Missing required argument 'path'/, /./],
    [['cat', 'home', 'notes.txt', '--length', '-1'], /whole number from 0/, /./],
    [['find', 'home', '--larger', 'much'], /Expected a size, as 300, 10M/, /./],
    [['ls', 'home@yesterday', ...repository], /"home@yesterday": .*time with its zone/, undefined],
    [['events', '--type', 'run.done'], /"run.done" is not an event type/, /docs\/events.md/],
  ])('%j ends with 2 and says what is wrong', async (args, message, remedy) => {
    const refused = await catena.refused(...args);
    expect(refused).toMatchObject({ exit: 2, code: 'cli.usage', message: expect.stringMatching(message) });
    if (remedy) expect(refused.remedy).toMatch(remedy);
  });

  it('is explained on standard error without --json', async () => {
    const { code, out, err } = await catena.run('bakup', 'home');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toBe("catena: Unknown command 'bakup'.\n  Did you mean backup?\n  (cli.usage)\n");
  });
});

describe('without a platform', () => {
  it('ends with 6 and says how to start one', async () => {
    const calls = [
      ['status'],
      ['get', 'sources'],
      ['describe', 'source', 'home'],
      ['delete', 'source', 'home'],
      ['run', 'nightly'],
      ['pause', 'nightly'],
      ['resume', 'nightly'],
      ['backup', 'home'],
      ['backups'],
      ['chains'],
      ['restore-points'],
      ['runs'],
      ['restore', 'home', '--to', '/tmp/x'],
      ['ls', 'home'],
      ['cat', 'home', 'notes.txt'],
      ['find', 'home', '*.txt'],
      ['diff', 'home', 'home@2026-03-01T00:00:00Z'],
      ['verify', '--repository', 'vault'],
      ['key', 'export', 'vault', '--to', '/tmp/x'],
      ['cancel', 'run-1'],
      ['events'],
      ['catalog', 'rebuild'],
      ['catalog', 'rescan', 'vault'],
      ['log', 'verify'],
      ['dead-letters', 'list'],
    ];
    for (const call of calls)
      expect({ call, ...(await catena.refused(...call)) }).toMatchObject({
        call,
        exit: 6,
        code: 'embedded.not-started',
        remedy: expect.stringContaining('catena up'),
      });
  });

  it('tells its version', async () => {
    const { version } = JSON.parse(
      readFileSync(fileURLToPath(new URL('../../apps/cli/package.json', import.meta.url)), 'utf8'),
    ) as { version: string };
    expect(await catena.ask('version')).toEqual({ catena: version, node: process.versions.node });
    expect((await catena.run('--version')).out.trim()).toBe(version);
  });

  it('doctor says what is there and that nobody runs it', async () => {
    const { findings } = await catena.ask<{
      findings: { level: string; check: string; message: string; remedy?: string }[];
    }>('doctor');
    expect(findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['node', 'data folder', 'PostgreSQL']),
    );
    expect(findings.find(({ check }) => check === 'platform')).toMatchObject({
      level: 'warning',
      message: expect.stringContaining(home),
      remedy: expect.stringContaining('catena up'),
    });
    for (const { level, remedy } of findings) expect(level === 'ok' || remedy !== undefined).toBe(true);
  });

  it('completes commands and options in bash', async () => {
    const { out } = await catena.run('completion', 'bash');
    const complete = (line: string) =>
      execFileSync(
        'bash',
        [
          '-c',
          `${out}\nCOMP_WORDS=(${line}"\${LAST-}"); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); _catena; echo "\${COMPREPLY[@]}"`,
        ],
        {
          encoding: 'utf8',
        },
      ).trim();
    expect(complete('catena quick')).toBe('quickstart');
    expect(complete('catena catalog re').split(' ')).toEqual(['rebuild', 'rescan']);
    expect(complete('catena backup --copy').split(' ')).toEqual(['--copy-only']);
  });

  it.each(['zsh', 'fish'])('has a completion script for %s', async (shell) => {
    const { script } = await catena.ask<{ script: string }>('completion', shell);
    expect(script).toMatch(/catena/);
  });

  it('lists the backups of a repository without its key', async () => {
    const { items } = await catena.ask<{ items: { backup: string; type: string }[] }>(
      'backups',
      ...repository,
    );
    expect(items.map(({ backup }) => backup)).toEqual(['copy-1', 'diff-1', 'inc-2', 'inc-1', 'full-1']);
    const { out } = await catena.run('backups', ...repository);
    expect(out).toMatch(/^full-1 +photos +full +2026-11-01 03:00:00Z/m);
  });

  it('finds the backup of a time as the list shows it', async () => {
    const list = async (...args: string[]) =>
      (await catena.run('ls', ...args, ...repository, ...key, '--json')).jsonLines<{ path: string }>();
    const entries = await list('photos', '--at', '2026-11-02 03:00:00Z');
    expect(entries).toEqual(await list('inc-1'));
    expect(entries).toEqual(await list('photos@2026-11-02 03:00:00Z'));
    expect(entries.length).toBeGreaterThan(5);
  });

  it('restores a part of it, and verifies all of it', async () => {
    const target = path.join(folder, 'restored');
    const restored = await catena.run(
      'restore',
      ...repository,
      ...key,
      '--include',
      'folder/**',
      '--to',
      target,
      '--json',
    );
    // The owner of the golden files is another one than who runs the test, unless root does.
    expect([0, 5]).toContain(restored.code);
    expect(readdirSync(target)).toEqual(['folder']);
    expect(readFileSync(path.join(target, 'folder', 'small')).length).toBe(8);
    const verified = await catena.ask<{ collections: { damages: unknown[] }[] }>(
      'verify',
      ...repository,
      ...key,
    );
    expect(verified.collections).toMatchObject([{ damages: [], opened: true }]);
  });

  it('refuses by name what cannot be opened, and what is not there', async () => {
    const wrong = async (...args: string[]): Promise<Answer['error'] & { exit: number }> =>
      catena.refused('restore', '--to', path.join(folder, 'none'), ...args);
    expect(await wrong(...repository)).toMatchObject({ exit: 3, code: 'vault.locked' });
    expect(await wrong(...repository, '--key-file', '/nowhere.key')).toMatchObject({
      exit: 3,
      code: 'vault.key-not-readable',
      message: expect.stringContaining('/nowhere.key'),
    });
    expect(await wrong('--repository', '/nowhere/vault')).toMatchObject({
      exit: 3,
      code: 'vault.not-a-repository',
      message: expect.stringContaining('/nowhere/vault'),
    });
    expect(await wrong(...repository, ...key, '--backup', 'bkp-none')).toMatchObject({
      exit: 3,
      code: 'chain.backup-unknown',
    });
    expect(await wrong(...repository, ...key, '--recovery-key', '/nowhere')).toMatchObject({
      exit: 3,
      code: 'cli.file-not-usable',
    });
    expect(existsSync(path.join(folder, 'none'))).toBe(false);
  });

  it('has started nothing and made nothing', () => {
    expect(existsSync(home)).toBe(false);
  });
});
