import { spawn } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChainView } from '@catena/events';
import { compareTrees } from '@catena/sources';
import { copyTree } from '../platform/protected-tree.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand, RunningProgram, type Answer } from './catena-command.ts';

const PAGE = fileURLToPath(new URL('../../docs/restore.md', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../../apps/cli/bin/catena.mjs', import.meta.url));
const READER = fileURLToPath(new URL('../../tools/vault-reader', import.meta.url));
const EXPORTED_LOG = '/mnt/backup/catena-log.zst';

let platform: TestPlatform;
let up: RunningProgram | undefined;
let catena: CatenaCommand;
/** When the first of both backups was made, and the files as they were at each. */
let then: string;
let copies: { then: string; now: string };
let chains: ChainView[];

/** The commands of a section of the page, one for each block, as a person would copy them. */
function blocksOf(section: number): string[][] {
  const [, text = ''] =
    new RegExp(`^## ${section}\\. .*\n([^]*?)(?=^## |$(?![^]))`, 'm').exec(readFileSync(PAGE, 'utf8')) ?? [];
  return [...text.matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) =>
    block
      .replaceAll(/^ {4}/gm, '')
      .replaceAll(/\\\n\s*/g, '')
      .trim()
      .split('\n')
      .map((line) => line.replace(/\s+#.*$/, '')),
  );
}

/** The places and times of the page are others here; everything else is typed as it stands there. */
function here(command: string): string {
  return command
    .replaceAll(/\/(srv|mnt|root|media)\//g, (place) => `${platform.folder}${place}`)
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, then);
}

function type(command: string): RunningProgram {
  const child = spawn(
    'bash',
    [
      '-c',
      `catena() { "${process.execPath}" "${PROGRAM}" "$@"; }; node() { "${process.execPath}" "$@"; }; ${here(command)}`,
    ],
    {
      cwd: platform.folder,
      env: { ...process.env, NODE_OPTIONS: '', CATENA_HOME: platform.home },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  return new RunningProgram(child, command);
}

async function succeeds(command: string): Promise<Answer> {
  const answer = await type(command).ended;
  expect({ command, code: answer.code, err: answer.code === 0 ? '' : answer.err }).toEqual({
    command,
    code: 0,
    err: '',
  });
  return answer;
}

/** Runs a restore of the page into an empty place, and compares what came back with what was there. */
async function restores(command: string): Promise<void> {
  const source = path.join(platform.folder, 'home-of-ada');
  const [, to] = /--to (\S+)/.exec(here(command)) ?? [];
  if (to !== undefined) rmSync(to, { recursive: true, force: true });
  if (command.includes('--in-place'))
    writeFileSync(path.join(source, 'notes.txt'), 'overwritten by mistake\n');
  await succeeds(command);
  const whole = command.includes('--at') ? copies.then : copies.now;
  const [, file] = /--only (\S+)/.exec(command) ?? [];
  if (file !== undefined) {
    const restored = to ?? source;
    expect(readFileSync(path.join(restored, file))).toEqual(readFileSync(path.join(whole, file)));
    if (to !== undefined) expect(filesIn(to)).toEqual([file]);
    return;
  }
  const [, glob] = /--include '([^']+)\/\*\*'/.exec(command) ?? [];
  const part = glob ?? '.';
  expect(await compareTrees(path.join(whole, part), path.join(to ?? source, part))).toEqual([]);
}

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));

/** Runs a command of the page that only looks. */
async function looks(command: string): Promise<void> {
  const { out } = await succeeds(command);
  if (command.includes(' restore-points ')) expect(out).toMatch(/^TIME .*\n.*incremental\n.*full$/m);
  else if (command.includes(' diff '))
    expect(out).toMatch(/^M notes\.txt .*\n0 added, 0 removed, 1 changed\.$/m);
  else if (command.includes(' cat ')) expect(out).toBe('Dear\n');
  else if (command.includes(' find ') || command.includes(' ls '))
    expect(out).toMatch(/documents\/letter\.txt$/m);
  else expect(out).toMatch(/ incremental /);
}

/** The reader that needs no Catena, where the page says that a copy is kept. */
async function readsAlone(command: string): Promise<void> {
  const [, to] = /vault latest (\S+)/.exec(here(command)) ?? [];
  if (to !== undefined) rmSync(to, { recursive: true, force: true });
  const { out } = await succeeds(command);
  if (to === undefined) expect(out).toMatch(/ incremental /);
  else expect(filesIn(to).sort()).toEqual(filesIn(copies.now).sort());
}

beforeAll(async () => {
  platform = await TestPlatform.start();
  catena = new CatenaCommand(platform.home);
  const { folder } = platform;
  for (const place of ['mnt/backup', 'root', 'media/usb', 'srv'])
    mkdirSync(path.join(folder, place), { recursive: true });
  writeFileSync(path.join(folder, 'root/vault.passphrase'), 'correct horse battery staple\n');
  const source = platform.place('home-of-ada');
  platform.write(source, {
    'documents/taxes/2025.txt': 'none\n',
    'documents/letter.txt': 'Dear\n',
    'notes.txt': 'one\n',
  });
  const definitions = path.join(folder, 'definitions.yaml');
  writeFileSync(
    definitions,
    `apiVersion: catena/v1
kind: Source
metadata: {name: home}
spec: {driver: files, files: {path: ./home-of-ada}}
---
apiVersion: catena/v1
kind: Repository
metadata: {name: vault}
spec:
  store: fs
  fs: {path: ./mnt/backup/vault}
  encryption:
    keys:
      - keyFile: {path: ./root/vault.key, generate: true}
      - passphrase: {file: ./root/vault.passphrase}
`,
  );
  await catena.ask('apply', definitions);
  copies = {
    then: path.join(platform.place('copies'), 'then'),
    now: path.join(platform.place('copies'), 'now'),
  };
  const first = await platform.backup('home', 'vault');
  copyTree(source, copies.then);
  platform.write(source, { 'notes.txt': 'one\ntwo\n' });
  const second = await platform.backup('home', 'vault', 'incremental');
  copyTree(source, copies.now);
  expect([first.state, second.state]).toEqual(['completed', 'completed']);
  then = (await platform.backups('home')).at(-1)!.asOf;
  chains = (await catena.ask<{ items: ChainView[] }>('chains')).items;
  await catena.ask('log', 'export', here(EXPORTED_LOG));
});

afterAll(async () => {
  up?.signal('SIGTERM');
  await up?.ended;
  await platform[Symbol.asyncDispose]();
});

/** A home in which nothing is left of the platform. */
async function loseThePlatform(): Promise<void> {
  up?.signal('SIGINT');
  await up?.ended;
  rmSync(platform.home, { recursive: true, force: true });
}

describe('docs/restore.md, as a person types it', () => {
  it('is read whole', () => {
    expect([1, 2, 3, 4].map((section) => blocksOf(section).length)).toEqual([5, 6, 1, 1]);
    for (const command of [1, 2, 3, 4].flatMap(blocksOf).flat())
      expect(command).toMatch(/^(catena|node \S*\/vault-reader\.mjs) /);
  });

  describe('1. the platform runs', () => {
    it.each(blocksOf(1).flat())('%s', async (command) => {
      if (command.includes(' restore ')) await restores(command);
      else await looks(command);
    });
  });

  describe('3. is something damaged', () => {
    it.each(blocksOf(3).flat())('%s', async (command) => {
      expect((await succeeds(command)).out).toMatch(/verything is as it was written/);
    });
  });

  describe('4. the key', () => {
    it.each(blocksOf(4).flat())('%s', async (command) => {
      await succeeds(command);
      expect(existsSync(path.join(platform.folder, 'media/usb/vault.key'))).toBe(true);
      expect((await catena.run('status')).out).toMatch(/^All is well/);
    });
  });

  describe('2. the platform is gone', () => {
    const [byHand = [], oneFile = [], alone = [], start = [], withLog = [], withoutLog = []] = blocksOf(2);

    beforeAll(async () => {
      await platform.stop();
      await loseThePlatform();
      cpSync(READER, path.join(platform.folder, 'mnt/backup/vault-reader'), { recursive: true });
      // The key is the one that was stored elsewhere.
      copyFileSync(
        path.join(platform.folder, 'media/usb/vault.key'),
        path.join(platform.folder, 'root/vault.key'),
      );
    });

    it.each([...byHand, ...oneFile, ...alone])('%s', async (command) => {
      if (command.startsWith('node ')) await readsAlone(command);
      else if (command.includes(' restore ')) await restores(command);
      else await looks(command);
      expect(existsSync(platform.home)).toBe(false);
    });

    it.each([
      ['with the exported log', withLog],
      ['without it', withoutLog],
    ])('a new platform has the chains again, %s', async (_, commands) => {
      await loseThePlatform();
      expect(start).toHaveLength(1);
      up = type(`exec ${start[0]!.replace('catena', `"${process.execPath}" "${PROGRAM}"`)}`);
      await up.says(/^Ready\./m);
      for (const command of commands) await succeeds(command);
      const lineage = (all: ChainView[]) =>
        all.map(({ chain, backups }) => [
          chain,
          ...backups.map(({ backup, type: kind, parent }) => [backup, kind, parent]),
        ]);
      const { items } = await catena.ask<{ items: ChainView[] }>('chains');
      expect(lineage(items)).toEqual(lineage(chains));
    });
  });
});
