import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BackupView, RecoveryWindowView } from '@catena/events';
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
import { CatenaCommand } from './catena-command.ts';
import { rowsOf } from './rows-of-copy.ts';
import { streamedBank } from './streamed-bank.ts';

const onlyAtLength = atLength ? it : it.skip;

let platform: TestPlatform;
let catena: CatenaCommand;
let cluster: ProtectedCluster;
let writer: Writer;

function backups(): Promise<BackupView[]> {
  return platform.backups('bank');
}

/** In the order of what they cover: one that came to an idle server is as of a while before. */
async function logs(): Promise<BackupView[]> {
  const found = (await backups()).filter(({ type }) => type === 'log');
  return found.toSorted(
    (a, b) => Number(BigInt(a.position) - BigInt(b.position)) || Number(BigInt(a.start!) - BigInt(b.start!)),
  );
}

/** Waits until everything that is in the server's log now has been backed up. */
async function untilBackedUp(): Promise<void> {
  const [end] = await cluster.sql<{ at: string }>("SELECT (pg_current_wal_flush_lsn() - '0/0')::text AS at");
  await until('all that was committed is backed up', async () => {
    const newest = (await logs()).at(-1);
    return newest !== undefined && BigInt(newest.position) >= BigInt(end!.at);
  });
}

/** What the server says was committed, by the time it gives it. */
async function committed(): Promise<{ n: number; at: string }[]> {
  return await cluster.sql(
    `SELECT n, to_char(pg_xact_commit_timestamp(xmin) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at
     FROM written ORDER BY n`,
  );
}

/** A commit time some way between the end of the first full and the last commit. */
async function between(rows: readonly { at: string }[], part: number): Promise<string> {
  const [full] = (await backups()).filter(({ type }) => type === 'full');
  const after = rows.filter(({ at }) => at > full!.asOf);
  return after[Math.floor(after.length * part)]!.at;
}

async function numbersIn(folder: string): Promise<number[]> {
  const server = await ScratchServer.start({ folder, bin: cluster.server.bin });
  try {
    return (await rowsOf<{ n: number }>(server, 'SELECT n FROM written ORDER BY n')).map(({ n }) => n);
  } finally {
    await server.stop();
  }
}

beforeAll(async () => {
  cluster = await startProtectedCluster({
    durable: true,
    settings: { max_slot_wal_keep_size: '1GB', track_commit_timestamp: 'on' },
  });
  platform = await TestPlatform.start();
  catena = new CatenaCommand(platform.home, { folder: platform.folder });
  mkdirSync(path.join(platform.home, 'bank'));
  writeFileSync(path.join(platform.home, 'bank', 'password'), BACKUP_ROLE.password, { mode: 0o600 });
  writer = await Writer.start(cluster.server.adminUrl);
  const file = path.join(platform.place('definitions'), 'bank.yaml');
  writeFileSync(file, streamedBank(cluster.server.port, '2s'));
  await catena.ask('apply', file);
  await until('three logs are there', async () => (await logs()).length >= 3);
});

afterAll(async () => {
  await platform[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

describe('a PostgreSQL cluster whose log is streamed all the time', () => {
  it('logs begin when the first full is there, and each begins where the one before it ended', async () => {
    const full = (await backups()).find(({ type }) => type === 'full');
    const all = await logs();
    expect(full).toMatchObject({ type: 'full', archivePoint: expect.stringMatching(/^\d+$/) });
    const [first] = all;
    expect(first).toMatchObject({ type: 'log', start: full!.archivePoint, fork: '1' });
    all.reduce((before, next) => {
      expect(next.start).toBe(before.position);
      return next;
    });
  });

  it('says from when to when any moment can be had back, at which positions, and of which server', async () => {
    const chains = await catena.run('chains', '--source', 'bank');
    expect(chains.out).toMatch(/timeline 1, 0\/\w+–0\/\w+ {2}PostgreSQL 18\.\d+/);
    expect(chains.out).toMatch(
      /any moment from \S+ \S+Z to \S+ \S+Z {2}timeline 1, 0\/\w+–0\/\w+ {2}\d+ logs, \+/,
    );
    const listed = await catena.run('backups', '--source', 'bank');
    expect(listed.out).toMatch(/FROM–TO +SERVER +STATE/);
    expect(listed.out).toContain('any moment from');
    const { items, recoveryWindows } = await catena.ask<{
      items: BackupView[];
      recoveryWindows: RecoveryWindowView[];
    }>('backups', '--source', 'bank');
    const full = items.find(({ type }) => type === 'full');
    expect(full?.driverDetails).toMatchObject({ timeline: 1, serverVersion: expect.stringMatching(/^18/) });
    expect(recoveryWindows).toMatchObject([
      { backup: full!.backup, from: full!.asOf, fromPosition: full!.position, fork: '1' },
    ]);
    expect(recoveryWindows[0]).not.toHaveProperty('gap');
    const status = await catena.run('status');
    expect(status.out).toMatch(/ANY MOMENT/);
  });

  it('is restored to a moment between backups, with exactly what was committed by then', async () => {
    await writer.stop();
    const rows = await committed();
    const at = await between(rows, 1 / 2);
    await untilBackedUp();
    const target = path.join(platform.place('restored'), 'then');
    const tried = await catena.run('restore', 'bank', '--at', at, '--to', target, '--try');
    expect(tried).toMatchObject({
      code: 0,
      out: expect.stringMatching(/reached [0-9A-F]+\/[0-9A-F]+.*, as planned; .*timeline 2/) as unknown,
    });
    expect(await numbersIn(target)).toEqual(rows.filter((row) => row.at <= at).map(({ n }) => n));
    const newest = path.join(platform.place('restored'), 'newest');
    await catena.ask('restore', 'bank', '--to', newest);
    expect(await numbersIn(newest)).toEqual(rows.map(({ n }) => n));
  });

  it('is brought to another moment over what was restored, started, and not touched while it runs', async () => {
    const rows = await committed();
    const at = await between(rows, 1 / 4);
    const target = path.join(platform.place('restored'), 'newest');
    const over = ['restore', 'bank', '--at', at, '--to', target, '--delta'];
    const started = await catena.run(...over, '--start');
    const [, pid, host] = /runs as process (\d+): host (\S+), port 5432/.exec(started.out) ?? [];
    if (pid === undefined || host === undefined) throw new Error(`it was not started: ${started.err}`);
    try {
      // It lets in its own account alone; a test may be root.
      writeFileSync(path.join(target, 'pg_hba.conf'), 'local all all trust\n');
      process.kill(Number(pid), 'SIGHUP');
      let there: { n: number }[] | undefined;
      await until('the copy answers', async () => {
        const asked = rowsOf<{ n: number }>({ host, port: 5432 }, 'SELECT n FROM written ORDER BY n');
        there = await asked.catch(() => undefined);
        return there !== undefined;
      });
      expect(there?.map(({ n }) => n)).toEqual(rows.filter((row) => row.at <= at).map(({ n }) => n));
      expect(started.out).toMatch(/reached [0-9A-F]+\/[0-9A-F]+.*, as planned/);
      expect((await catena.run(...over)).err).toContain('restore.serverRunning');
    } finally {
      process.kill(Number(pid), 'SIGINT');
    }
    await until('the copy is stopped', () => !existsSync(path.join(target, 'postmaster.pid')));
  });

  it('a moment that is not backed up yet is refused, with what can be reached', async () => {
    const target = path.join(platform.place('restored'), 'later');
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const refused = await catena.run('restore', 'bank', '--at', later, '--to', target);
    expect(refused.code).not.toBe(0);
    expect(refused.err).toMatch(/chain\.target-out-of-reach[\s\S]*--nearest/);
  });

  it('is restored to a moment from the repository alone', async () => {
    const rows = await committed();
    const at = await between(rows, 3 / 4);
    const target = path.join(platform.place('restored'), 'alone');
    const repository = path.join(platform.home, 'repository');
    await catena.ask('restore', 'bank', '--repository', repository, '--at', at, '--to', target);
    expect(await numbersIn(target)).toEqual(rows.filter((row) => row.at <= at).map(({ n }) => n));
  });

  it('yesterday’s tables are brought into the living database, by the platform and from the repository alone', async () => {
    const { sql, server } = cluster;
    await sql(`CREATE TABLE accounts (id bigserial PRIMARY KEY, owner text UNIQUE, balance numeric NOT NULL);
      CREATE TABLE transfers (id int GENERATED ALWAYS AS IDENTITY, account bigint REFERENCES accounts, amount numeric);
      INSERT INTO accounts (owner, balance) SELECT 'o' || n, 100 FROM generate_series(1, 1000) n;
      INSERT INTO transfers (account, amount) SELECT n, n FROM generate_series(1, 1000) n`);
    const whole = `SELECT md5(string_agg(a::text, ',' ORDER BY id)) AS hash, sum(balance)::int AS sum FROM accounts a`;
    const before = await sql(whole);
    const [then] = await sql<{ at: string }>(
      `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at`,
    );
    await sql('UPDATE accounts SET balance = 0; DROP TABLE transfers');
    await sql(`INSERT INTO accounts (owner, balance) VALUES ('later', 1)`);
    await untilBackedUp();
    const password = path.join(platform.home, 'bank', 'admin');
    writeFileSync(password, decodeURIComponent(new URL(server.adminUrl).password), { mode: 0o600 });
    const restore = (...more: string[]) =>
      catena.ask(
        ...['restore', 'bank', '--at', then!.at, '--table', 'accounts', '--table', 'transfers'],
        ...['--to-database', `postgres://postgres@${server.host}:${server.port}/catena?sslmode=disable`],
        ...['--to-password-file', password, '--programs', server.bin, ...more],
      );
    await restore('--replace');
    expect(await sql(whole)).toEqual(before);
    const [added] = await sql<{ id: string }>(
      `INSERT INTO accounts (owner, balance) VALUES ('new', 1) RETURNING id`,
    );
    expect(Number(added?.id)).toBeGreaterThan(1000);
    await expect(sql('INSERT INTO transfers (account) VALUES (-1)')).rejects.toThrow(
      /transfers_account_fkey/,
    );

    const repository = path.join(platform.home, 'repository');
    await restore(
      '--repository',
      repository,
      '--to-schema',
      'yesterday',
      '--scratch',
      platform.place('scratch'),
    );
    expect(await sql(whole.replace('FROM accounts', 'FROM yesterday.accounts'))).toEqual(before);
    expect(readdirSync(platform.place('scratch'))).toEqual([]);
    const told = readFileSync(path.join(platform.home, 'bank', 'admin'), 'utf8');
    for (const event of await platform.events()) expect(JSON.stringify(event)).not.toContain(told);
  });

  onlyAtLength(
    'a mark and a transaction older than the newest data backup are found without being told where',
    async () => {
      const [mark] = await cluster.sql<{ lsn: string }>(
        "SELECT pg_create_restore_point('before it')::text AS lsn",
      );
      await cluster.sql('CREATE TABLE after_it (n int)');
      const [last] = await cluster.sql<{ xid: string }>(
        'INSERT INTO after_it VALUES (1) RETURNING pg_current_xact_id()::text AS xid',
      );
      await cluster.sql('INSERT INTO after_it VALUES (2)');
      expect((await platform.backup('bank', 'bank', 'incremental', false)).state).toMatch(/^completed/);
      const [newest] = await backups();
      await until('a log goes beyond the data backup', async () => {
        const end = BigInt((await logs()).at(-1)?.position ?? 0);
        return end > BigInt(newest!.position);
      });
      const plan = await catena.ask<{ reachesTarget: boolean; steps: { type: string }[] }>(
        ...['plan', 'bank', '--mark', 'before it'],
      );
      expect(plan.reachesTarget).toBe(true);
      const [first, ...then] = plan.steps.map(({ type }) => type);
      expect([first, new Set(then)]).toEqual(['full', new Set(['log'])]);
      const to = (name: string) => ['--to', path.join(platform.place('restored'), name)];
      const tried = await catena.run('restore', 'bank', '--mark', 'before it', ...to('mark'), '--try');
      expect(tried).toMatchObject({ code: 0, out: expect.stringContaining(mark!.lsn) as unknown });
      await catena.ask(
        ...['restore', 'bank', '--repository', path.join(platform.home, 'repository')],
        ...['--transaction', last!.xid, ...to('transaction')],
      );
      const folder = path.join(platform.place('restored'), 'transaction');
      const server = await ScratchServer.start({ folder, bin: cluster.server.bin });
      try {
        expect(await rowsOf(server, 'SELECT n FROM after_it')).toEqual([{ n: 1 }]);
      } finally {
        await server.stop();
      }
      const refused = await catena.run('restore', 'bank', '--mark', 'never set', ...to('never'));
      expect(refused.err).toContain('chain.mark-unknown');
    },
  );

  onlyAtLength(
    'a tablespace that the log creates is said by catena plan, before the restore refuses it',
    async () => {
      const place = platform.place('fast');
      const { uid, gid } = statSync(cluster.server.dataDir);
      chownSync(place, uid, gid);
      await cluster.sql(`CREATE TABLESPACE fast LOCATION '${place}'`);
      await untilBackedUp();
      const made = new RegExp(`note: The log \\S+ creates a tablespace at '${place}' \\(at 0/[0-9A-F]+\\)`);
      expect((await catena.run('plan', 'bank')).out).toMatch(made);
      const target = path.join(platform.place('restored'), 'over');
      const over = await catena.run('restore', 'bank', '--to', target);
      expect(over.err).toContain('restore.tablespaceInLog');
      await cluster.sql('DROP TABLESPACE fast');
    },
  );

  onlyAtLength(
    'a slot that was dropped behind its back while the log was recycled is a gap with a name',
    async () => {
      const drawn = async () => (await catena.run('chains', '--source', 'bank')).out;
      await catena.ask('pause', 'bank');
      await until('no log is under way', async () => {
        const { items } = await catena.ask<{ items: unknown[] }>('runs', '--active');
        return items.length === 0;
      });
      await cluster.sql('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots');
      for (let round = 0; round < 3; round++) {
        await cluster.sql("SELECT pg_logical_emit_message(true, 'fill', repeat('x', 20000000))");
        await cluster.sql('SELECT pg_switch_wal()');
        await cluster.sql('CHECKPOINT');
      }
      await catena.ask('resume', 'bank');
      await until('the loss is known', async () => (await drawn()).includes('GAP: the log after'));
      expect((await catena.run('status')).out).toMatch(/bank: GAP: the log after/);
      expect((await platform.backup('bank', 'bank', 'full', false)).state).toMatch(/^completed/);
      expect(await drawn()).not.toContain('GAP: the log after');
      await until('logs go on after the gap', async () => (await drawn()).includes('GAP: no moment between'));
      expect((await catena.run('status')).out).toMatch(/bank: GAP: no moment between/);
    },
  );
});
