import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { CatenaCommand } from './catena-command.ts';

const HISTORY = '00000002.history';

describe('catena wal, as a PostgreSQL server calls it', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'catena-wal-'));
  const catena = new CatenaCommand(path.join(folder, 'nowhere'), { folder });
  const spool = path.join(folder, 'spool');
  afterAll(() => rmSync(folder, { recursive: true }));

  it('push takes a file once and again, and refuses another of its name; no service is asked', async () => {
    const file = path.join(folder, HISTORY);
    writeFileSync(file, '1\t0/3000000\tbefore\n');
    expect((await catena.run('wal', 'push', file, '--spool', spool)).code).toBe(0);
    expect((await catena.run('wal', 'push', file, '--spool', spool)).code).toBe(0);
    writeFileSync(file, '1\t0/4000000\tbefore\n');
    const refused = await catena.run('wal', 'push', file, '--spool', spool);
    expect(refused.code).not.toBe(0);
    expect(refused.err).toMatch(/wal\.other-content/);
  });

  it('fetch ends with 0, with 1 when there is none, and above 125 when that cannot be said', async () => {
    const target = path.join(folder, 'RECOVERYHISTORY');
    const fetch = async (...args: string[]) => (await catena.run('wal', 'fetch', ...args)).code;
    expect(await fetch(HISTORY, target, '--spool', spool)).toBe(0);
    expect(readFileSync(target, 'utf8')).toBe('1\t0/3000000\tbefore\n');
    expect(await fetch('00000003.history', target, '--spool', spool)).toBe(1);
    expect(await fetch(HISTORY, target, '--repository', path.join(folder, 'gone'))).toBe(255);
    expect(await fetch(HISTORY, target)).toBe(255);
    expect(await fetch(HISTORY, target, '--spoool', spool)).toBe(255);
    const misplaced = await catena.run('--home', folder, 'wal', 'fetch', HISTORY, target, '--spool', spool);
    expect(misplaced.code).toBe(255);
    expect(await fetch(HISTORY, target, '--spool', path.join(folder, 'not-mounted'))).toBe(255);
    expect(await fetch(target, HISTORY, '--spool', spool)).toBe(255);
    expect(await fetch('00000003.history', path.join(folder, 'no', 'folder'), '--spool', spool)).toBe(255);
  });

  it('fetch does not say that a segment is not there when a later one is', async () => {
    const target = path.join(folder, 'RECOVERYXLOG');
    writeFileSync(path.join(spool, '000000010000000000000005'), '');
    const fetch = async (name: string) =>
      (await catena.run('wal', 'fetch', name, target, '--spool', spool)).code;
    expect(await fetch('000000010000000000000004')).toBe(255);
    expect(await fetch('000000010000000000000006')).toBe(1);
    expect(await fetch('000000020000000000000004')).toBe(1);
  });

  it('fetch of a catena that is not built, or that cannot be loaded, stops a recovery as well', () => {
    const clone = path.join(folder, 'clone');
    mkdirSync(path.join(clone, 'bin'), { recursive: true });
    const program = path.join(clone, 'bin', 'catena.mjs');
    cpSync(path.resolve('apps/cli/bin/catena.mjs'), program);
    const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args]).status;
    expect(run('wal', 'fetch', 'a', 'b')).toBe(255);
    expect(run('--home', 'a', 'wal', 'fetch', 'a', 'b')).toBe(255);
    expect(run('wal', 'push', 'a')).toBe(1);
    mkdirSync(path.join(clone, 'dist'));
    for (const broken of ["import './not-there.js';", 'await Promise.reject(new Error());']) {
      writeFileSync(path.join(clone, 'dist', 'main.js'), broken);
      expect(run('wal', 'fetch', 'a', 'b', '--json')).toBe(255);
    }
    writeFileSync(path.join(clone, 'dist', 'main.js'), "setImmediate(() => { throw new Error('late'); });");
    expect(run('wal', 'fetch', 'a', 'b')).toBe(255);
  });
});
