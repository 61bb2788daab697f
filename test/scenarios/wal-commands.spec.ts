import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  });
});
