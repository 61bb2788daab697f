import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BackupType, BackupView } from '@catena/events';
import {
  BACKUP_ROLE,
  ScratchServer,
  startProtectedCluster,
  Writer,
  type ProtectedCluster,
} from '@catena/sources/testing/postgres';
import { until } from '../platform/operator.ts';
import { atLength } from '../platform/seeded-chance.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { rowsOf } from './rows-of-copy.ts';
import { CatenaCommand } from './catena-command.ts';

const example = fileURLToPath(new URL('../../examples/postgres/', import.meta.url));

const onlyAtLength = atLength ? it : it.skip;

let platform: TestPlatform;
let catena: CatenaCommand;
let cluster: ProtectedCluster;
let writer: Writer;

async function backUp(type: BackupType, copyOnly = false) {
  await writer.some();
  const before = writer.acknowledged;
  const { state, event } = await platform.backup('bank', 'bank', type, copyOnly);
  if (event.type !== 'run.completed' || event.data.backup === undefined)
    throw new Error(`it ${state}: ${JSON.stringify(event.data)}`);
  return { backup: event.data.backup, before, after: writer.sent };
}

/** Newest first. */
function backups(): Promise<BackupView[]> {
  return platform.backups('bank');
}

/** The numbers a restored copy holds. */
async function numbersIn(folder: string): Promise<number[]> {
  const server = await ScratchServer.start({ folder, bin: cluster.server.bin });
  try {
    const rows = await rowsOf<{ n: number }>(server, 'SELECT n FROM written ORDER BY n');
    return rows.map(({ n }) => n);
  } finally {
    await server.stop();
  }
}

beforeAll(async () => {
  cluster = await startProtectedCluster({ durable: true });
  await cluster.sql(
    'CREATE TABLE accounts AS SELECT n, md5(n::text) AS owner FROM generate_series(1, 30000) n',
  );
  platform = await TestPlatform.start();
  catena = new CatenaCommand(platform.home, { folder: platform.folder });
  mkdirSync(path.join(platform.home, 'bank'));
  writeFileSync(path.join(platform.home, 'bank', 'password'), `${BACKUP_ROLE.password}\n`, { mode: 0o600 });
  writer = await Writer.start(cluster.server.adminUrl);
  for (const name of ['repository', 'source', 'schedule']) {
    const text = readFileSync(path.join(example, `${name}.yaml`), 'utf8');
    const file = path.join(platform.place('definitions'), `${name}.yaml`);
    writeFileSync(file, text.replace('port: 5432', `port: ${cluster.server.port}`));
    await catena.ask('apply', file);
  }
  await until('the first full is there', async () => (await backups()).length === 1);
});

afterAll(async () => {
  await writer.stop();
  await platform[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

describe('the example of a PostgreSQL cluster that is written to all the time, applied as it is', () => {
  it('gives a chain whose positions are those of its log, and of which every backup starts', async () => {
    const made = [
      await backUp('incremental'),
      await backUp('differential'),
      await backUp('incremental'),
      await backUp('full', true),
    ];
    const listed = await backups();
    expect(listed.map(({ type, copyOnly }) => [type, copyOnly])).toEqual([
      ['full', true],
      ['incremental', false],
      ['differential', false],
      ['incremental', false],
      ['full', false],
    ]);
    const positions = listed.map(({ position }) => BigInt(position));
    expect(positions).toEqual([...positions].sort((a, b) => (a < b ? 1 : -1)));
    expect(listed.every(({ fork, family }) => fork === '1' && /^postgres:\d+$/.test(family))).toBe(true);
    for (const { backup, before, after } of atLength ? made : made.slice(2)) {
      const target = path.join(platform.place('restored'), backup);
      expect((await platform.restore('bank', backup, target)).state).toBe('completed');
      const numbers = await numbersIn(target);
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
      expect(numbers.length).toBeGreaterThanOrEqual(before);
      expect(numbers.length).toBeLessThanOrEqual(after);
    }
  });

  it('restores into an empty folder only, and whole only', async () => {
    const [newest] = await backups();
    const target = platform.place('occupied');
    writeFileSync(path.join(target, 'something'), '');
    const occupied = await catena.run('restore', 'bank', '--backup', newest!.backup, '--to', target);
    expect(occupied.err).toContain('restore.targetExists');
    const part = await catena.run(
      ...['restore', 'bank', '--backup', newest!.backup, '--include', 'base', '--to', `${target}-other`],
    );
    expect(part.err).toContain('restore.targetNotUsable');
  });

  it('passes a full verification', async () => {
    const answer = await catena.run('verify', '--repository', 'bank');
    expect({ code: answer.code, out: answer.out }).toMatchObject({
      code: 0,
      out: expect.not.stringContaining('damage'),
    });
  });

  onlyAtLength('is restored from the repository alone, with no service', async () => {
    const [newest] = await backups();
    const target = path.join(platform.place('restored'), 'by-hand');
    const home = path.join(platform.home, 'bank');
    await catena.ask(
      ...['restore', '--repository', path.join(home, 'repository')],
      ...['--key-file', path.join(home, 'repository.key'), '--backup', newest!.backup, '--to', target],
    );
    expect((await numbersIn(target)).length).toBeGreaterThan(0);
  });

  onlyAtLength('goes on after the mover was killed under a backup, and after the server was', async () => {
    const marker = await platform.doom('mover', 'mover-1', 'mover.during-backup');
    await backUp('full');
    expect(readFileSync(marker)).toBeDefined();
    await writer.stop();
    const slow = platform.backup('bank', 'bank', 'full', false);
    await cluster.server.kill9();
    await cluster.server.restart();
    expect((await slow).state).toBe('completed');
    writer = await Writer.start(cluster.server.adminUrl);
    const { backup, before, after } = await backUp('incremental');
    const target = path.join(platform.place('restored'), backup);
    expect((await platform.restore('bank', backup, target)).state).toBe('completed');
    const numbers = await numbersIn(target);
    expect(numbers.length).toBeGreaterThanOrEqual(before);
    expect(numbers.length).toBeLessThanOrEqual(after);
  });

  it('refuses another cluster at the same address', async () => {
    await writer.stop();
    await using other = await startProtectedCluster();
    const source = path.join(platform.place('definitions'), 'source.yaml');
    const text = readFileSync(source, 'utf8');
    writeFileSync(source, text.replace(`port: ${cluster.server.port}`, `port: ${other.server.port}`));
    await catena.ask('apply', source);
    const refused = await platform.backup('bank', 'bank', 'incremental', false);
    expect(refused.state).not.toBe('completed');
    expect(JSON.stringify(refused.event.data)).toContain('chain.family-changed');
    writeFileSync(source, text);
    await catena.ask('apply', source);
    writer = await Writer.start(cluster.server.adminUrl);
  });
});
