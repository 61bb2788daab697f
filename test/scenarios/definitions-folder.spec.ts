import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scenarioFolder } from '../platform/test-platform.ts';
import { CatenaCommand, type RunningProgram } from './catena-command.ts';

let folder: string;
let definitions: string;
let catena: CatenaCommand;
let up: RunningProgram;

const where = (folderName: string) => `apiVersion: catena/v1
kind: Source
metadata: {name: home}
spec: {driver: files, files: {path: ../house}}
---
apiVersion: catena/v1
kind: Repository
metadata: {name: ${folderName}}
spec: {store: fs, fs: {path: ../${folderName}}}
`;
const when = (incremental: string) => `apiVersion: catena/v1
kind: Schedule
metadata: {name: nightly}
spec: {source: home, repository: vault, firstRun: scheduled, full: '@yearly', incremental: '${incremental}'}
`;
const put = (name: string, text: string) => writeFileSync(path.join(definitions, name), text);

beforeAll(async () => {
  folder = scenarioFolder();
  definitions = path.join(folder, 'definitions');
  mkdirSync(definitions);
  mkdirSync(path.join(folder, 'house'));
  catena = new CatenaCommand(path.join(folder, 'home'), { folder });
  put('where.yaml', where('vault'));
  put('when.yaml', when('@monthly'));
  up = catena.start('up', '--definitions', 'definitions');
  await up.says(/Schedule nightly: created/);
});

afterAll(async () => {
  up.signal('SIGINT');
  await up.ended;
  rmSync(folder, { recursive: true, force: true });
});

describe('a folder of definitions that the platform follows', () => {
  it('issue 6.5: a changed file is applied by itself', async () => {
    put('when.yaml', when('@weekly'));
    await up.says(/Schedule nightly: changed/);
    expect((await catena.run('get', 'schedules')).out).toContain('incremental @weekly');
  });

  it('rule 3.9, issue 6.5: diff shows what would change, and prune what would go', async () => {
    const same = await catena.run('diff', 'definitions');
    expect(same.out).toContain('Nothing would change.');
    const file = path.join(folder, 'other.yaml');
    writeFileSync(file, when('@daily'));
    const changed = await catena.run('diff', 'other.yaml');
    expect(changed.out).toMatch(/Schedule nightly: would be changed/);
    expect(changed.out).toContain('-   incremental: "@weekly"');
    expect(changed.out).toContain('+   incremental: "@daily"');
  });

  it('issue 6.5: history shows every version, and rollback applies an earlier one as a new one', async () => {
    const { versions } = await catena.ask<{ versions: { generation: number }[] }>(
      'history',
      'schedule',
      'nightly',
    );
    expect(versions.map(({ generation }) => generation)).toEqual([1, 2]);
    expect((await catena.run('history', 'schedule', 'nightly')).out).toContain(
      '+   incremental'.replace('   ', ' '),
    );
    const back = await catena.ask<{ results: unknown[] }>('rollback', 'schedule', 'nightly');
    expect(back.results).toMatchObject([{ kind: 'Schedule', name: 'nightly', action: 'changed' }]);
    expect((await catena.run('get', 'schedules')).out).toContain('incremental @monthly');
    expect(await catena.refused('rollback', 'schedule', 'nightly', '--to', '9')).toMatchObject({ exit: 3 });
  });

  it('issue 6.5: what is gone from the folder is deleted, unless something else names it', async () => {
    put('where.yaml', where('shelf'));
    put('when.yaml', when('@weekly').replace('repository: vault', 'repository: shelf'));
    await up.says(/Repository vault: deleted/);
    const { items } = await catena.ask<{ items: { name: string }[] }>('get', 'repositories');
    expect(items.map(({ name }) => name)).toEqual(['shelf']);
    writeFileSync(
      path.join(folder, 'mine.yaml'),
      when('@monthly')
        .replace('name: nightly', 'name: mine')
        .replace('repository: vault', 'repository: shelf'),
    );
    await catena.ask('apply', 'mine.yaml');
    rmSync(path.join(definitions, 'when.yaml'));
    put('where.yaml', where('vault'));
    const refused = await catena.refused('apply', '--prune', 'definitions');
    expect(refused.message).toContain('mine');
    expect(await catena.refused('apply', '--prune', 'mine.yaml')).toMatchObject({ exit: 2 });
  });
});
