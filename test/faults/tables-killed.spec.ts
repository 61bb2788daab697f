/** A mover that is killed while it brings tables into a server that lives. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BACKUP_ROLE, startProtectedCluster, type ProtectedCluster } from '@catena/sources/testing/postgres';
import { until } from '../platform/operator.ts';
import { atLength } from '../platform/seeded-chance.ts';
import { scenarioFolder, TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand, type RunningProgram } from '../scenarios/catena-command.ts';
import { protectedBank } from '../scenarios/streamed-bank.ts';

const PATIENCE = 1_200_000;
const MOVER = 'mover-1';
/** When the rows are at the target, and their transaction is open. */
const MIDST = 'postgres.rowsMoved';

let platform: TestPlatform;
let catena: CatenaCommand;
let cluster: ProtectedCluster;
/** Where movers put copies that are thrown away. */
let scratch: string;
let password: string;
let backup: string;

const ROWS = 3000;
/** As it was, by the sums of what it holds. */
const BEFORE = { rows: ROWS, balance: 100 * ROWS };
/** As the living database has it, after somebody's mistake. */
const SPOILED = { rows: ROWS, balance: 0 };

async function accounts(schema = 'public'): Promise<object | undefined> {
  const [row] = await cluster.sql(
    `SELECT count(*)::int AS rows, sum(balance)::int AS balance FROM ${schema}.accounts`,
  );
  return row;
}

/** Everything in the database that is not a system's. */
async function things(): Promise<string[]> {
  const rows = await cluster.sql<{ name: string }>(
    `SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     UNION ALL SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
     UNION ALL SELECT datname FROM pg_database ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

/** Sessions that have begun something and not ended it. */
async function openTransactions(): Promise<number> {
  const rows = await cluster.sql(
    `SELECT FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()`,
  );
  return rows.length;
}

function restore(...what: readonly string[]): RunningProgram {
  const { host, port, bin } = cluster.server;
  const into = (database: string) => `postgres://postgres@${host}:${port}/${database}?sslmode=disable`;
  const database = what.includes('--table') ? 'catena' : 'then';
  return catena.start(
    ...['restore', 'bank', '--backup', backup, ...what, '--to-database', into(database)],
    ...['--to-password-file', password, '--programs', bin],
  );
}

/** The server of the copy; undefined when none is in the folder. */
function copyServer(): number | undefined {
  const folder = readdirSync(scratch).find((name) => name.startsWith('catena-scratch-'));
  if (folder === undefined) return undefined;
  return Number(readFileSync(path.join(scratch, folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const leftBehind = () => readdirSync(scratch).filter((name) => name.startsWith('catena-'));

/** The newest run that was asked for after a place in the log. */
async function askedAfter(sequence: number): Promise<string> {
  return (await platform.event('run.requested', () => true, sequence + 1)).aggregate.id;
}

async function statesOf(run: string): Promise<string[]> {
  return (await platform.historyOf(run)).map(({ type }) => type.replace('run.', ''));
}

/** Kills the mover when the rows of a restore are at the target, and cancels the run; answers the server of its copy. */
async function killedAndGivenUp(...wanted: readonly string[]): Promise<number | undefined> {
  const begun = await platform.client.log.lastSequence();
  const marker = await platform.doom('mover', MOVER, MIDST, { signal: 'SIGSTOP' });
  const restoring = restore(...wanted);
  await platform.standsStill(MOVER, marker);
  const server = copyServer();
  expect(isThere(server ?? 0)).toBe(true);
  expect(await openTransactions()).toBe(1);
  expect(await accounts()).toEqual(SPOILED);

  const run = await askedAfter(begun);
  const cancelling = catena.start('cancel', run);
  await platform.event('run.cancel-requested', ({ aggregate }) => aggregate.id === run);
  platform.kill9(MOVER);
  expect((await platform.outcome(run)).state).toBe('cancelled');
  await cancelling.ended;
  expect((await restoring.ended).code).not.toBe(0);
  // Who takes it over finds it cancelled, and touches nothing.
  const states = await statesOf(run);
  expect(states.at(-1)).toBe('cancelled');
  expect(states.filter((one) => !['claimed', 'cancel-requested'].includes(one))).toEqual([
    ...['requested', 'planned', 'cancelled'],
  ]);
  return server;
}

(atLength ? describe : describe.skip)('a mover that is killed in the midst of a restore of tables', () => {
  beforeAll(async () => {
    const folder = scenarioFolder();
    scratch = path.join(folder, 'scratch');
    mkdirSync(scratch, { mode: 0o755 });
    cluster = await startProtectedCluster();
    platform = await TestPlatform.start({
      folder,
      environment: { CATENA_JOB_WAIT_SECONDS: '2', TMPDIR: scratch },
    });
    catena = new CatenaCommand(platform.home);
    mkdirSync(path.join(platform.home, 'bank'));
    writeFileSync(path.join(platform.home, 'bank', 'password'), BACKUP_ROLE.password, { mode: 0o600 });
    password = path.join(platform.home, 'admin.password');
    writeFileSync(password, decodeURIComponent(new URL(cluster.server.adminUrl).password), { mode: 0o600 });
    await cluster.sql(`CREATE TABLE accounts AS SELECT n AS id, 100 AS balance FROM generate_series(1, ${ROWS}) n;
      ALTER TABLE accounts ADD PRIMARY KEY (id)`);
    const file = path.join(platform.place('definitions'), 'bank.yaml');
    writeFileSync(file, protectedBank(cluster.server.port));
    await catena.ask('apply', file);
    const { state, event } = await platform.backup('bank', 'bank', 'full');
    expect(state).toBe('completed');
    backup = (event.type === 'run.completed' && event.data.backup) || '';
    await cluster.sql('UPDATE accounts SET balance = 0');
  }, PATIENCE);

  afterAll(async () => {
    await platform[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  }, PATIENCE);

  it.each([
    { what: 'a table in place', wanted: ['--table', 'accounts', '--replace'] },
    { what: 'a table beside', wanted: ['--table', 'accounts', '--to-schema', 'yesterday'] },
  ])(
    'and given up then: nothing of $what is at the target, and nothing of the copy is left',
    async ({ wanted }) => {
      const there = await things();
      const server = await killedAndGivenUp(...wanted);
      await until('the copy has stopped', () => !isThere(server ?? 0));
      await until('nothing of the copy is left', () => leftBehind().length === 0);
      await until('the target has let go', async () => (await openTransactions()) === 0);
      expect(await accounts()).toEqual(SPOILED);
      expect(await things()).toEqual(there);
    },
    PATIENCE,
  );

  it(
    'of a whole database, and given up then: what was made of it is dropped by the next restore there',
    async () => {
      const there = await things();
      await killedAndGivenUp('--database', 'catena');
      await until('the target has let go', async () => (await openTransactions()) === 0);
      const left = (await things()).filter((name) => !there.includes(name));
      expect(left).toEqual([expect.stringMatching(/^then-catena-[0-9a-f]{12}$/)]);
      const { code } = await restore('--table', 'accounts', '--to-schema', 'beside').ended;
      expect(code).toBe(0);
      expect(await accounts('beside')).toEqual(BEFORE);
      await cluster.sql('DROP SCHEMA beside CASCADE');
      expect(await things()).toEqual(there);
    },
    PATIENCE,
  );

  it(
    'and started again: the next attempt brings the table in, once and whole',
    async () => {
      const there = await things();
      const begun = await platform.client.log.lastSequence();
      await platform.doom('mover', MOVER, MIDST);
      const restoring = restore('--table', 'accounts', '--replace');
      const run = await askedAfter(begun);
      const outcome = await platform.outcome(run);
      expect(outcome).toMatchObject({ state: 'completed', event: { data: { attempt: 2 } } });
      expect((await restoring.ended).code).toBe(0);
      expect((await statesOf(run)).filter((one) => one === 'claimed' || one === 'completed')).toEqual([
        ...['claimed', 'claimed', 'completed'],
      ]);
      expect(await accounts()).toEqual(BEFORE);
      expect(await things()).toEqual(there);
      expect(leftBehind()).toEqual([]);
      expect(await openTransactions()).toBe(0);
    },
    PATIENCE,
  );

  it(
    'or of a whole database: the next attempt makes it, and there is one',
    async () => {
      const there = await things();
      const begun = await platform.client.log.lastSequence();
      await platform.doom('mover', MOVER, MIDST);
      const restoring = restore('--database', 'catena');
      const outcome = await platform.outcome(await askedAfter(begun));
      expect(outcome).toMatchObject({ state: 'completed', event: { data: { attempt: 2 } } });
      expect((await restoring.ended).code).toBe(0);
      expect(await things()).toEqual([...there, 'then'].sort());
      expect(leftBehind()).toEqual([]);
    },
    PATIENCE,
  );
});
