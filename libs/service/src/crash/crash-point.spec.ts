import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const module = new URL('./crash-point.ts', import.meta.url).href;

/** Node strips the types itself, so the child needs no build. */
function pass(environment: Record<string, string>) {
  const program = `import('${module}').then(({ crashPoint }) => { crashPoint('mover.after-claim'); console.log('passed'); })`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  });
}

describe('a crash point', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'catena-crash-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('does nothing unless it is named', () => {
    expect(pass({ CATENA_CRASH_AT: 'mover.after-report' })).toMatchObject({ status: 0, stdout: 'passed\n' });
  });

  it('ends the process as kill -9 does', () => {
    expect(pass({ CATENA_CRASH_AT: 'mover.after-claim' })).toMatchObject({ signal: 'SIGKILL', stdout: '' });
  });

  it('does so once when a marker file is named', () => {
    const marker = join(folder, 'marker');
    const environment = { CATENA_CRASH_AT: 'mover.after-claim', CATENA_CRASH_ONCE: marker };
    expect(pass(environment).signal).toBe('SIGKILL');
    expect(existsSync(marker)).toBe(true);
    expect(pass(environment)).toMatchObject({ status: 0, stdout: 'passed\n' });
  });
});
