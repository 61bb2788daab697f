import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AnyRecordedEvent, BackupView, ChainView, RunView } from '@catena/events';
import { until } from '../platform/operator.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import type { CatenaCommand } from './catena-command.ts';
import { furnish, plainly as plainlyWith } from './household.ts';

let platform: TestPlatform;
let catena: CatenaCommand;
let house: string;

interface Page<T> {
  items: T[];
}
interface RunAnswer {
  run: string;
  state: string;
  event: { backup?: string };
}

beforeAll(async () => {
  platform = await TestPlatform.start();
  const household = furnish(platform);
  ({ catena, house } = household);
  await catena.ask('apply', household.definitions);
});

afterAll(async () => {
  await platform[Symbol.asyncDispose]();
});

const plainly = (...args: string[]) => plainlyWith(catena, ...args);

describe('backups', () => {
  let full: string;
  let incremental: string;

  it('are taken by hand and by a schedule, in plain lines', async () => {
    const first = await catena.ask<RunAnswer>('backup', 'home', '--type', 'incremental');
    expect(first.state).toBe('completed');
    full = first.event.backup!;
    platform.write(house, { 'notes.txt': 'one\ntwo\n' });
    const out = await plainly('run', 'nightly');
    expect(out).toMatch(
      /^run-\w+\n {2}planned: incremental on bkp-\w+\n {2}attempt 1 by mover-1\n {2}completed: 3 files, /,
    );
    const copy = await catena.ask<RunAnswer>('backup', 'home', '--copy-only');
    expect(copy.state).toBe('completed');
  });

  it('are listed and drawn', async () => {
    const { items } = await catena.ask<Page<BackupView>>('backups', '--source', 'home');
    expect(items.map(({ type, copyOnly }) => `${type}${copyOnly ? ' copy-only' : ''}`)).toEqual([
      'full copy-only',
      'incremental',
      'full',
    ]);
    incremental = items[1]!.backup;
    expect(items[2]!.backup).toBe(full);
    const { items: chains } = await catena.ask<Page<ChainView>>('chains');
    expect(chains.map(({ backups }) => backups.length).sort()).toEqual([1, 2]);
    const drawing = await plainly('chains');
    expect(drawing).toMatch(new RegExp(`● ${full}  full .*\n  └─ ${incremental}  incremental `));
    expect(drawing).toMatch(/copy-only, apart from the chains:\n● bkp-\w+ {2}full \(copy-only\)/);
    expect((await catena.ask<Page<unknown>>('restore-points')).items).toHaveLength(3);
    expect((await catena.ask<Page<unknown>>('backups', '--limit', '1')).items).toHaveLength(1);
  });

  it('are listed as they stood at a past time', async () => {
    const [, { asOf }] = (await catena.ask<Page<BackupView>>('backups', '--source', 'home')).items as [
      BackupView,
      BackupView,
    ];
    const between = new Date(Date.parse(asOf) - 1).toISOString();
    const { items } = await catena.ask<Page<BackupView>>('backups', '--as-of', between);
    expect(items.map(({ backup }) => backup)).toEqual([full]);
  });

  it('show what is in them', async () => {
    const entries = (await catena.run('ls', 'home', 'documents/**', '--json')).jsonLines<{ path: string }>();
    expect(entries.map((entry) => entry.path)).toEqual(
      expect.arrayContaining(['documents/letter.txt', 'documents/taxes/2025.txt']),
    );
    expect(await plainly('ls', '-l', full.slice(0, 9))).toMatch(/^-rw\S+ +\S+ +\S+ +4 .* notes\.txt$/m);
    expect(await plainly('ls', 'home')).toBe('documents\nnotes.txt\n');
    expect(await plainly('cat', 'home@latest', 'notes.txt')).toBe('one\ntwo\n');
    expect(await plainly('cat', full, './notes.txt')).toBe('one\n');
    expect(await plainly('find', 'home', '2025*', '--smaller', '1K')).toBe('documents/taxes/2025.txt\n');
    const versions = (await catena.run('find', 'home', 'notes.txt', '--everywhere', '--json')).jsonLines();
    expect(versions).toMatchObject([{ backup: full, size: '4' }, { size: '8' }]);
  });

  it('show what differs between two, and from what is there now', async () => {
    const differences = (await catena.run('diff', full, 'home', '--json')).jsonLines();
    expect(differences).toContainEqual(
      expect.objectContaining({ path: 'notes.txt', change: 'changed', aspects: ['content', 'mtime'] }),
    );
    expect(await plainly('diff', full, full.slice(0, 12))).toBe('There is no difference.\n');
    expect(await plainly('diff', 'latest', house)).toBe('There is no difference.\n');
    expect(await plainly('diff', full, house)).toMatch(/^M 'notes.txt': /m);
  });

  it('come back whole, as of a time, and by glob', async () => {
    const target = platform.place('back');
    const whole = await catena.ask<RunAnswer>('restore', 'home', '--to', path.join(target, 'whole'));
    expect(whole.state).toBe('completed');
    expect(readFileSync(path.join(target, 'whole', 'notes.txt'), 'utf8')).toBe('one\ntwo\n');
    const { asOf } = (await catena.ask<Page<BackupView>>('backups')).items.at(-1)!;
    // As the table shows it: to the second.
    const shown = `${asOf.slice(0, 10)} ${asOf.slice(11, 19)}Z`;
    expect(await plainly('backups')).toContain(shown);
    await plainly('restore', 'home', '--at', asOf, '--to', path.join(target, 'then'));
    expect(readFileSync(path.join(target, 'then', 'notes.txt'), 'utf8')).toBe('one\n');
    await plainly('restore', 'home', '--include', 'documents/taxes/**', '--to', path.join(target, 'taxes'));
    expect(readdirSync(path.join(target, 'taxes', 'documents'))).toEqual(['taxes']);
    const { run } = await catena.ask<{ run: string }>(
      'restore',
      'home',
      '--to',
      path.join(target, 'later'),
      '--no-wait',
    );
    expect((await platform.outcome(run)).state).toBe('completed');
  });

  it('are refused by name when they cannot be', async () => {
    const before = await platform.client.log.lastSequence();
    expect(await catena.refused('restore', 'home')).toMatchObject({
      exit: 2,
      message: expect.stringContaining('--to'),
    });
    expect(await catena.refused('restore', 'nowhere', '--to', '/tmp/x')).toMatchObject({
      exit: 3,
      message: 'There is no backup of "nowhere".',
    });
    expect(await catena.refused('restore', '--backup', 'bkp-none', '--to', '/tmp/x')).toMatchObject({
      exit: 3,
      code: 'chain.backup-unknown',
    });
    expect(await catena.refused('backup', 'nowhere')).toMatchObject({ exit: 3, code: 'definition.unknown' });
    expect(await catena.refused('backup', 'No Name')).toMatchObject({
      exit: 2,
      code: 'client.question-not-understood',
      message: expect.stringContaining('source: expected lower-case letters'),
    });
    expect(await catena.refused('log', 'import', platform.folder)).toMatchObject({ exit: 3 });
    expect(await catena.refused('run', 'nowhere')).toMatchObject({ exit: 3, code: 'schedule.unknown' });
    expect(await catena.refused('run', 'nightly', '--cadence', 'differential')).toMatchObject({
      exit: 3,
      code: 'schedule.cadence-absent',
    });
    expect(await catena.refused('cancel', 'run-none')).toMatchObject({ exit: 3, code: 'run.unknown' });
    expect(await catena.refused('runs', 'run-none')).toMatchObject({ exit: 3 });
    expect(await platform.client.log.lastSequence()).toBe(before);
  });

  it('that are asked for and refused say so with 3', async () => {
    const answer = await catena.run('backup', 'home', '--type', 'incremental', '--copy-only', '--json');
    expect(answer.code).toBe(3);
    expect(answer.json<RunAnswer>()).toMatchObject({
      state: 'refused',
      event: { failure: { code: 'chain.copy-only-incremental' } },
    });
  });

  it('of a source that there is not are no empty list', async () => {
    for (const list of ['restore-points', 'runs']) {
      const wrong = { exit: 3, code: 'cli.not-possible', message: 'There is no Source "hoem".' };
      expect(await catena.refused(list, '--source', 'hoem')).toMatchObject(wrong);
    }
    const nowhere = { exit: 3, message: 'There is no Repository "nowhere".' };
    expect(await catena.refused('backups', '--repository', 'nowhere')).toMatchObject(nowhere);
  });

  it('are verified, all or one', async () => {
    const all = await catena.ask<RunAnswer & { damaged: unknown[] }>('verify', '--repository', 'vault');
    expect(all).toMatchObject({ state: 'completed', damaged: [] });
    expect(await plainly('verify', incremental, '--depth', 'presence')).toContain(
      'Everything is as it was written.',
    );
    expect(await plainly('chains')).toMatch(/incremental .* verified \d{4}-/);
  });
});

describe('runs', () => {
  it('are listed and shown with their history', async () => {
    const { items } = await catena.ask<Page<RunView>>('runs', '--schedule', 'nightly');
    expect(items).toHaveLength(1);
    const { run } = items[0]!;
    const { history } = await catena.ask<{ history: AnyRecordedEvent[] }>('runs', run.slice(0, 12));
    expect(history.map(({ type }) => type)).toEqual([
      'run.requested',
      'run.planned',
      'run.claimed',
      'run.completed',
    ]);
    expect(await plainly('runs', run)).toMatch(/run\.completed by chain-catalog:\S+: completed: 3 files/);
    expect((await catena.ask<Page<RunView>>('runs', '--state', 'refused')).items).toHaveLength(1);
    expect(await plainly('runs', '--active')).toBe('There are no runs.\n');
  });

  it('that are over are not cancelled again', async () => {
    const { items } = await catena.ask<Page<RunView>>('runs', '--schedule', 'nightly');
    expect(await catena.refused('cancel', items[0]!.run)).toMatchObject({ exit: 3, code: 'run.over' });
  });

  it('are paused and resumed with their schedule', async () => {
    expect(await catena.ask('pause', 'nightly', '--reason', 'the disk is full')).toMatchObject({
      changed: true,
    });
    expect(await plainly('get', 'schedules')).toMatch(/paused .*the disk is full$/m);
    expect(await plainly('status')).toContain('The schedule nightly is paused: the disk is full.');
    expect(await catena.refused('run', 'nightly')).toMatchObject({
      exit: 3,
      code: 'schedule.paused',
      message: expect.stringContaining('the disk is full'),
    });
    expect(await catena.ask('pause', 'nightly')).toMatchObject({ changed: false });
    expect(await catena.ask('resume', 'nightly')).toMatchObject({ changed: true });
    expect(await catena.ask('resume', 'nightly')).toMatchObject({ changed: false });
  });

  it('leave events, which are shown and followed', async () => {
    const types = (await catena.run('events', '--type', 'run.completed', '--from', '1', '--json'))
      .jsonLines<AnyRecordedEvent>()
      .map(({ type }) => type);
    expect(new Set(types)).toEqual(new Set(['run.completed']));
    expect(await plainly('events', '--last', '3')).toMatch(/^( +\d+ {2}.*\n){3}$/);
    const following = catena.start('events', '--follow', '--last', '0', '--type', 'schedule.paused');
    // What it follows is seen whenever it comes: the one before it begins is not asked for.
    const listening = following.says(/schedule\.paused/);
    while (!following.out.includes('schedule.paused')) {
      await catena.ask('pause', 'nightly');
      await catena.ask('resume', 'nightly');
    }
    await listening;
    following.signal('SIGINT');
    expect((await following.ended).code).toBe(130);
  });
});

describe('the catalog and the log', () => {
  it('are rebuilt, compared, exported', async () => {
    const { lastSequence } = { lastSequence: await platform.client.log.lastSequence() };
    expect(await catena.ask('catalog', 'rebuild')).toMatchObject({
      events: lastSequence,
      generation: 'catena_2',
    });
    const file = path.join(platform.folder, 'log.zst');
    expect(await catena.ask('log', 'export', file)).toMatchObject({ file, last: lastSequence });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await catena.ask('log', 'verify', '--export', file)).toMatchObject({
      events: lastSequence,
      problemCount: 0,
      comparison: { same: lastSequence, differenceCount: 0, onlyInLog: 0, onlyInExport: 0 },
      projections: { identical: true, differing: [] },
    });
    expect(await plainly('log', 'verify')).toContain('read models: what the log says');
    expect(await catena.refused('log', 'export', file)).toMatchObject({
      exit: 3,
      message: expect.stringContaining(file),
    });
    expect(await catena.ask('log', 'import', file)).toMatchObject({ imported: 0, present: lastSequence });
  });

  it('take in what a repository holds', async () => {
    const answer = await catena.ask<RunAnswer & { event: { detail: unknown } }>('catalog', 'rescan', 'vault');
    expect(answer).toMatchObject({
      state: 'completed',
      event: { detail: { found: 3, adopted: 0, lacking: [] } },
    });
    expect(await plainly('catalog', 'rescan', 'vault')).toContain(
      '3 backups in the repository, 0 of them new',
    );
  });
});

describe('keys and health', () => {
  it('status and doctor nag until a generated key is stored elsewhere', async () => {
    const key = path.join(platform.folder, 'usb.key');
    expect(await plainly('status')).toMatch(/The key \w+ of repository vault exists only in/);
    const ill = await catena.run('doctor', '--json');
    expect(ill.code).toBe(7);
    expect(ill.json<{ findings: unknown[] }>().findings).toContainEqual(
      expect.objectContaining({ level: 'problem', check: 'key of vault' }),
    );
    expect(await catena.ask('key', 'export', 'vault', '--to', key)).toMatchObject({
      repository: 'vault',
      file: key,
    });
    expect(readFileSync(key)).toEqual(readFileSync(path.join(platform.folder, 'vault.key')));
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(await plainly('status')).toMatch(/^All is well\.\n/);
    expect((await catena.run('doctor')).out).toMatch(/ok +key of vault/);
    expect(await catena.refused('key', 'export', 'nowhere', '--to', key)).toMatchObject({ exit: 3 });
    expect(await catena.refused('key', 'export', 'vault', '--to', '/nowhere/at/all')).toMatchObject({
      exit: 3,
      code: 'cli.file-not-usable',
    });
  });

  it('another key opens the repository after it was added', async () => {
    const added = path.join(platform.folder, 'second.passphrase');
    writeFileSync(added, 'correct horse battery staple\n');
    await plainly('key', 'add', '--repository', 'vault', '--new-passphrase-file', added);
    const folder = path.join(platform.folder, 'vault');
    const target = path.join(platform.place('back'), 'with-passphrase');
    await plainly('restore', '--repository', folder, '--passphrase-file', added, '--to', target);
    expect(readdirSync(target).sort()).toEqual(['documents', 'notes.txt']);
    writeFileSync(added, 'wrong\n');
    expect(
      await catena.refused(
        'restore',
        '--repository',
        folder,
        '--passphrase-file',
        added,
        '--to',
        `${target}-2`,
      ),
    ).toMatchObject({ exit: 3, code: expect.stringMatching(/^vault\./) });
    expect(existsSync(`${target}-2`)).toBe(false);
  });

  it('status says what can be had back of each source, and what is kept for ever', async () => {
    const status = await catena.ask<{ protection: unknown[]; attention: string[] }>('status');
    expect(status).toMatchObject({
      attention: [],
      deadLetters: 0,
      protection: [
        { source: 'home', newest: { type: 'full', copyOnly: true }, lastRun: { state: 'completed' } },
      ],
      schedulesWithoutRetention: ['nightly'],
    });
    expect(await plainly('dead-letters', 'list')).toBe('Every delivery arrived.\n');
  });

  it('status names a service that is not there, and ends with 6 until it is', async () => {
    const ready = await catena.ask<{ services: { service: string; state: string }[] }>('status');
    expect(ready.services.map(({ service, state }) => `${service} ${state}`)).toEqual([
      'chain-catalog ready',
      'scheduler ready',
      'mover ready',
    ]);
    await platform.stopService('scheduler-1');
    const without = await catena.run('status');
    expect(without.code).toBe(6);
    expect(without.out).toMatch(/^1 thing to look at:\n {2}The scheduler is being started by pid \d+\.\n/);
    expect(await catena.refused('pause', 'nightly')).toMatchObject({
      exit: 6,
      code: 'messages.no-responder',
      message: expect.stringMatching(/^No scheduler is there to answer "pause/),
    });
    await platform.stopService('chain-catalog-1');
    expect(await catena.refused('status')).toMatchObject({
      exit: 6,
      code: 'platform.not-ready',
      message: expect.stringMatching(/^The chain-catalog is being started by pid \d+\. The scheduler is /),
    });
    await platform.startService('chain-catalog', 'chain-catalog-1');
    await platform.startService('scheduler', 'scheduler-1');
    await until('both have started', async () => (await catena.run('status')).code === 0);
  });
});
