import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BackupView, RunView } from '@catena/events';
import { compareTrees } from '@catena/sources';
import { differencesForOthers, hasProgram, makeNastyTree } from '@catena/sources/testing';
import { type Place } from '../platform/operator.ts';
import { flawsOf } from '../platform/proof.ts';
import { copyTree } from '../platform/protected-tree.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand } from './catena-command.ts';

const MOVER = 'mover-1';

let platform: TestPlatform;
let catena: CatenaCommand;
let place: Place;
/** The newest backup, and the files as they were then. */
let good: { backup: string; copy: string };

interface RunAnswer {
  run: string;
  state: string;
  event: {
    backup?: string;
    warningCount: number;
    warnings: { code: string; path: string; message: string }[];
  };
}

beforeAll(async () => {
  platform = await TestPlatform.start();
  catena = new CatenaCommand(platform.home);
  place = await platform.defineFiles({ source: 'letters', repository: 'vault' });
  platform.write(place.source, {
    'a-large.bin': Buffer.alloc(24_000_000, 'all of this is read in many steps '),
    'b.txt': 'read at once\n',
    'kept/one.txt': 'one\n',
    'kept/two.txt': 'two\n',
    'z-locked.txt': 'nobody may read this\n',
    'z-vanishes.txt': 'here, and gone\n',
  });
});

afterAll(() => platform[Symbol.asyncDispose]());

/** Lets the mover take a run and stand still at a point of it, until it is told to go on. */
async function standingAt(
  point: string,
  ask: () => Promise<string>,
): Promise<{ run: string; goOn: () => void }> {
  const marker = await platform.doom('mover', MOVER, point, { signal: 'SIGSTOP' });
  const run = await ask();
  await platform.standsStill(MOVER, marker);
  return { run, goOn: () => process.kill(platform.pidOf(MOVER), 'SIGCONT') };
}

const askForBackup = () => platform.requestBackup('letters', 'vault', 'incremental');

/** Everything below a folder that a failed or cancelled restore could have left beside its target. */
function around(target: string): string[] {
  return readdirSync(path.dirname(target)).filter(
    (name) => name !== path.basename(target) && name.includes('cancelled'),
  );
}

describe('a backup of files that change meanwhile', () => {
  it('ends completed with warnings that name each file, and the command line with 5', async () => {
    chmodSync(path.join(place.source, 'z-locked.txt'), 0);
    const { run, goOn } = await standingAt('mover.during-backup', askForBackup);
    appendFileSync(path.join(place.source, 'a-large.bin'), 'and it grows\n');
    rmSync(path.join(place.source, 'z-vanishes.txt'));
    goOn();
    const outcome = await platform.outcome(run);
    expect(outcome.state).toBe('completedWithWarnings');
    const shown = await catena.ask<{ run: RunView }>('runs', run);
    const named = shown.run.warnings.map(({ code, path: name }) => `${name}: ${code}`).sort();
    // Who may read everything reads the locked one too.
    const locked = process.getuid?.() === 0 ? [] : ['z-locked.txt: file.unreadable'];
    expect(named).toEqual(['a-large.bin: file.changed', ...locked, 'z-vanishes.txt: file.vanished']);
    expect((await catena.run('runs')).out).toMatch(/completedWithWarnings/);
    expect((await catena.run('chains')).out).toMatch(/[12] warnings?$|3 warnings$/m);
  });

  it('the command line says the warnings and ends with 5', async () => {
    // A name that the walk meets before its file is opened: it is there, and is gone when it is looked at.
    writeFileSync(path.join(place.source, 'z-vanishes.txt'), 'again\n');
    const marker = await platform.doom('mover', MOVER, 'mover.during-backup', { signal: 'SIGSTOP' });
    const running = catena.start('backup', 'letters', '--repository', 'vault', '--type', 'incremental');
    await platform.standsStill(MOVER, marker);
    rmSync(path.join(place.source, 'z-vanishes.txt'));
    process.kill(platform.pidOf(MOVER), 'SIGCONT');
    const { code, out, err } = await running.ended;
    expect(code).toBe(5);
    expect(out).toMatch(/completed with [12] warnings?: \d files/);
    expect(err).toMatch(/warning file\.vanished: .*z-vanishes\.txt/);
  });

  it('the next one, of files that hold still, completes without a warning', async () => {
    chmodSync(path.join(place.source, 'z-locked.txt'), 0o600);
    const answer = await catena.ask<RunAnswer>(
      'backup',
      'letters',
      '--repository',
      'vault',
      '--type',
      'incremental',
    );
    expect(answer).toMatchObject({ state: 'completed', event: { warningCount: 0 } });
    const copy = path.join(platform.place('copies'), 'good');
    copyTree(place.source, copy);
    good = { backup: answer.event.backup!, copy };
    const target = path.join(platform.place('restored'), 'good');
    await catena.ask('restore', '--backup', good.backup, '--to', target);
    expect(await compareTrees(copy, target)).toEqual([]);
  });
});

describe('cancel', () => {
  it('stops a backup that is under way; nothing of it counts and the next one works', async () => {
    const before = await platform.backups('letters');
    platform.write(place.source, { 'kept/three.txt': 'three\n' });
    const { run, goOn } = await standingAt('mover.during-backup', askForBackup);
    const cancelling = catena.start('cancel', run, '--reason', 'the wrong moment', '--json');
    await platform.event('run.cancel-requested', ({ aggregate }) => aggregate.id === run);
    goOn();
    const cancelled = await cancelling.ended;
    expect(cancelled.code).toBe(0);
    expect(cancelled.json()).toEqual({ run, state: 'cancelled' });
    expect(await platform.backups('letters')).toEqual(before);
    const { items } = await catena.ask<{ items: BackupView[] }>('backups', '--repository', place.repository);
    expect(items).toHaveLength(before.length);
    expect((await catena.run('runs', run)).out).toContain('cancel requested: the wrong moment');
    const next = await platform.backup('letters', 'vault', 'incremental');
    expect(next.state).toBe('completed');
  });

  it('stops a restore that is under way; nothing of it stays', async () => {
    const target = path.join(platform.place('restored'), 'cancelled');
    const { run, goOn } = await standingAt('mover.during-restore', () =>
      platform.requestRestore('vault', good.backup, target),
    );
    const cancelling = catena.start('cancel', run);
    await platform.event('run.cancel-requested', ({ aggregate }) => aggregate.id === run);
    goOn();
    const { code, out } = await cancelling.ended;
    expect({ code, out }).toEqual({ code: 0, out: `${run}: cancelled; nothing half-made counts\n` });
    expect(existsSync(target)).toBe(false);
    expect(around(target)).toEqual([]);
    await catena.ask('restore', '--backup', good.backup, '--to', target);
    expect(await compareTrees(good.copy, target)).toEqual([]);
  });

  it('of a run that waits for another one takes it away at once', async () => {
    const { run, goOn } = await standingAt('mover.during-backup', askForBackup);
    const waiting = await askForBackup();
    expect(await catena.ask('cancel', waiting)).toEqual({ run: waiting, state: 'cancelled' });
    goOn();
    expect((await platform.outcome(run)).state).toBe('completed');
  });
});

describe('a restore in place', () => {
  const file = (name: string) => path.join(place.source, name);

  it('is refused on files that are others, and changes nothing', async () => {
    const backup = (await platform.backups('letters'))[0]!.backup;
    const copy = path.join(platform.place('copies'), 'in-place');
    copyTree(place.source, copy);
    writeFileSync(file('kept/one.txt'), 'not one\n');
    const answer = await catena.run('restore', 'letters', '--in-place', '--backup', backup, '--json');
    expect(answer.code).toBe(4);
    expect(answer.json()).toMatchObject({
      state: 'failed',
      event: {
        failure: {
          message: expect.stringContaining('kept/one.txt'),
          remedy: expect.stringContaining('--overwrite'),
        },
      },
    });
    expect(readFileSync(file('kept/one.txt'), 'utf8')).toBe('not one\n');

    const right = statSync(file('a-large.bin'), { bigint: true });
    utimesSync(file('b.txt'), 1, 1);
    rmSync(file('kept/two.txt'));
    const restored = await catena.run(
      'restore',
      'letters',
      '--in-place',
      '--overwrite',
      '--backup',
      backup,
      '--json',
    );
    expect(restored.code).toBe(0);
    expect(await compareTrees(copy, place.source)).toEqual([]);
    // What is right already is not written again: the same inode, untouched.
    const after = statSync(file('a-large.bin'), { bigint: true });
    expect([after.ino, after.ctimeNs]).toEqual([right.ino, right.ctimeNs]);
  });

  it('of a part leaves everything else alone', async () => {
    writeFileSync(file('b.txt'), 'mine\n');
    writeFileSync(file('kept/one.txt'), 'lost\n');
    await catena.ask('restore', 'letters', '--in-place', '--overwrite', '--include', 'kept/**');
    expect(readFileSync(file('kept/one.txt'), 'utf8')).toBe('one\n');
    expect(readFileSync(file('b.txt'), 'utf8')).toBe('mine\n');
  });
});

describe('a restore by glob', () => {
  it('takes what matches and nothing else', async () => {
    const target = path.join(platform.place('restored'), 'globs');
    await catena.ask('restore', 'letters', '--to', target, '--include', 'kept/t*.txt', '--include', '*.bin');
    expect(readdirSync(target).sort()).toEqual(['a-large.bin', 'kept']);
    expect(readdirSync(path.join(target, 'kept')).sort()).toEqual(['three.txt', 'two.txt']);
  });

  it('that matches nothing is said, not passed over', async () => {
    const target = path.join(platform.place('restored'), 'nothing');
    const answer = await catena.run('restore', 'letters', '--to', target, '--include', 'no/such/*', '--json');
    expect({ code: answer.code, there: existsSync(target) }).toEqual({ code: 4, there: false });
    expect(answer.json()).toMatchObject({
      event: { failure: { message: 'Nothing in the backup matches "no/such/*".' } },
    });
  });
});

describe('a tree with everything that copies get wrong', () => {
  const others = hasProgram('rsync') ? it : it.skip;

  others('comes back exactly, as rsync -aHAX and tar see it (needs rsync)', async () => {
    const { source } = await platform.defineFiles({ source: 'nasty', repository: 'vault' });
    makeNastyTree(source, { deep: false });
    const restored = async (name: string): Promise<string> => {
      const target = path.join(platform.place('restored'), name);
      const [newest] = await platform.backups('nasty');
      const outcome = await platform.restore('vault', newest?.backup ?? '', target);
      expect(outcome.state).toBe('completed');
      return target;
    };
    expect((await platform.backup('nasty', 'vault')).state).toBe('completed');
    const full = await restored('nasty-full');
    expect(await compareTrees(source, full)).toEqual([]);
    expect(differencesForOthers(source, full)).toEqual([]);
    // One more name, one fewer, other attributes, another owner's file cut short.
    linkSync(path.join(source, 'links/file'), path.join(source, 'one name more'));
    rmSync(path.join(source, 'links/name 1'));
    utimesSync(path.join(source, 'holes'), 1, 1);
    truncateSync(path.join(source, 'holes/ends with a hole'), 100_000);
    chmodSync(path.join(source, 'names'), 0o700);
    expect((await platform.backup('nasty', 'vault', 'incremental')).state).toBe('completed');
    const incremental = await restored('nasty-incremental');
    expect(await compareTrees(source, incremental)).toEqual([]);
    expect(differencesForOthers(source, incremental)).toEqual([]);
  });
});

describe('after all of it', () => {
  it('the log, the catalog and the repository agree', async () => {
    expect(await flawsOf(platform, [])).toEqual([]);
    await catena.ask('verify', '--repository', 'vault');
  });
});
