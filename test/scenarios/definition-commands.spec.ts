import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BackupView, DefinitionView } from '@catena/events';
import { TestPlatform } from '../platform/test-platform.ts';
import type { CatenaCommand } from './catena-command.ts';
import { furnish, plainly as plainlyWith } from './household.ts';

let platform: TestPlatform;
let catena: CatenaCommand;
let definitions: string;

interface Page<T> {
  items: T[];
}

beforeAll(async () => {
  platform = await TestPlatform.start();
  ({ catena, definitions } = furnish(platform));
});

afterAll(() => platform[Symbol.asyncDispose]());

const plainly = (...args: string[]) => plainlyWith(catena, ...args);

describe('definitions', () => {
  it('are tried out with --dry-run, which changes nothing', async () => {
    const before = await platform.client.log.lastSequence();
    const out = await plainly('apply', 'definitions', '--dry-run');
    expect(out.trim().split('\n')).toEqual([
      'Schedule nightly: would be created',
      'Subscription tell: would be created',
      'Source home: would be created',
      'Repository vault: would be created',
    ]);
    expect(await platform.client.log.lastSequence()).toBe(before);
  });

  it('are refused whole, with every problem at its place, when anything is wrong', async () => {
    const bad = path.join(platform.place('bad'), 'bad.yaml');
    writeFileSync(
      bad,
      `apiVersion: catena/v1
kind: Source
metadata: {name: fine}
spec: {driver: files, files: {path: ./fine}}
---
apiVersion: catena/v1
kind: Schedule
metadata: {name: Nightly}
spec:
  source: nowhere
  repository: vault
  full: '61 2 * * *'
  incrementl: '@daily'
  timeZone: Europe/Atlantis
`,
    );
    const before = await platform.client.log.lastSequence();
    const refused = await catena.run('apply', bad, definitions, '--json');
    expect(refused.code).toBe(3);
    const { error } = refused.json<{
      error: {
        code: string;
        message: string;
        details: { problems: { line: number; column: number; file: string }[] };
      };
    }>();
    expect(error.code).toBe('definition.refused');
    expect(error.details.problems.map(({ line, column }) => `${line}:${column}`)).toEqual([
      '8:18',
      '10:11',
      '12:10',
      '13:3',
      '14:13',
    ]);
    for (const { line, column } of error.details.problems)
      expect(error.message).toContain(`${bad}:${line}:${column}: `);
    expect(error.message).toMatch(/Did you mean "incremental"\?/);
    const text = await catena.run('apply', bad);
    expect(text.err).toContain(`${bad}:14:13: `);
    expect(await platform.client.log.lastSequence()).toBe(before);
    expect((await catena.ask<Page<unknown>>('get', 'sources')).items).toEqual([]);
  });

  it('are applied, once', async () => {
    const applied = await catena.ask<{ results: { action: string }[]; sequence: number }>(
      'apply',
      'definitions',
    );
    expect(applied.results.map(({ action }) => action)).toEqual(Array(4).fill('created'));
    const again = await catena.ask<{ results: { action: string }[]; sequence: number }>(
      'apply',
      'definitions',
    );
    expect(again.results.map(({ action }) => action)).toEqual(Array(4).fill('unchanged'));
    expect(await platform.client.log.lastSequence()).toBe(applied.sequence);
  });

  it('are listed with what matters of each kind', async () => {
    const home = path.join(platform.folder, 'house');
    expect(await plainly('get', 'sources')).toMatch(new RegExp(`^home  files   ${home}  .*owner=ada$`, 'm'));
    expect(await plainly('get', 'repositories')).toMatch(/^vault +fs +\S+\/vault +readWrite +yes/m);
    expect(await plainly('get', 'schedules')).toMatch(
      /^sch-\w+ +nightly +waitingForFull .*full @yearly, incremental 0 0 2 1 \* .*waiting for initial backup$/m,
    );
    expect(await plainly('get', 'subscriptions')).toMatch(/^tell +run\.failed +all +true/m);
    expect(await catena.refused('get', 'source', 'nowhere')).toMatchObject({
      exit: 3,
      code: 'cli.not-possible',
    });
  });

  it('come back as YAML that can be applied and changes nothing', async () => {
    const kinds = ['source', 'repository', 'schedule', 'subscription'];
    const texts = await Promise.all(kinds.map((kind) => plainly('get', kind, '--yaml')));
    const file = path.join(platform.place('again'), 'all.yaml');
    writeFileSync(file, texts.join('---\n'));
    const { results } = await catena.ask<{ results: { action: string }[] }>('apply', file);
    expect(results.map(({ action }) => action)).toEqual(Array(4).fill('unchanged'));
  });

  it('are described with their state and what they say', async () => {
    const answer = await catena.ask<{ definition: DefinitionView }>('describe', 'schedule', 'nightly');
    expect(answer).toMatchObject({
      definition: { name: 'nightly', generation: 1 },
      schedule: { status: { status: 'waitingForFull', running: [] }, last: [] },
    });
    expect(await plainly('describe', 'source', 'home')).toMatch(/driver: files/);
    expect(await catena.refused('describe', 'source', 'nowhere')).toMatchObject({ exit: 3 });
  });
});

describe('deleting', () => {
  it('is refused while something needs the definition, and never touches backups', async () => {
    const { event } = await catena.ask<{ event: { backup: string } }>('backup', 'home');
    expect(await catena.refused('delete', 'source', 'home')).toMatchObject({
      exit: 3,
      code: 'definition.in-use',
      message: expect.stringContaining('nightly'),
    });
    expect(await catena.ask('delete', 'schedule', 'nightly')).toMatchObject({ deleted: true });
    expect(await catena.ask('delete', 'source', 'home')).toMatchObject({ deleted: true });
    expect(await catena.ask('delete', 'source', 'home')).toMatchObject({ deleted: false });
    const { items } = await catena.ask<Page<BackupView>>('backups', '--source', 'home');
    expect(items.map(({ backup }) => backup)).toEqual([event.backup]);
    const target = path.join(platform.place('back'), 'deleted');
    await plainly('restore', 'home', '--to', target);
    expect(await catena.refused('restore', 'home', '--in-place')).toMatchObject({
      exit: 3,
      message: expect.stringContaining('not defined any more'),
    });
    expect(readdirSync(target).sort()).toEqual(['documents', 'notes.txt']);
  });
});
