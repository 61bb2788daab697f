/** Transactions that are prepared, and decided about later (PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RestoreStop } from '@catena/events';
import pg from 'pg';
import { BackedUpCluster } from '../testing/backed-up-cluster.ts';
import { serversToTry } from '../testing/servers-to-try.ts';
import { parseLsn } from '../wire/lsn.ts';

const atLength = process.env['CATENA_TEST_LONG'] === '1';

/** What a copy shows: rows, whether what a transaction dropped is gone, and what is prepared still. */
interface Shown {
  readonly rows: readonly string[];
  readonly dropped: boolean;
  readonly prepared: readonly string[];
}

describe.each(serversToTry())('two-phase commits of PostgreSQL $major', ({ major, bin }) => {
  let here: BackedUpCluster;
  const manifests = new Map<string, Awaited<ReturnType<BackedUpCluster['log']>>>();
  const xids = { long: '', other: '' };
  const before: Shown = { rows: ['first'], dropped: false, prepared: ['long', 'other'] };
  const after: Shown = { rows: ['first', 'long'], dropped: true, prepared: ['other'] };
  const atEnd: Shown = { rows: ['first', 'last', 'long'], dropped: true, prepared: [] };
  const positions = { before: '', after: '' };
  let commitAt = '';

  /** Leaves a transaction prepared, and answers its number. */
  async function prepare(name: string, statements: readonly string[]): Promise<string> {
    const client = new pg.Client({ connectionString: here.cluster.server.adminUrl });
    await client.connect();
    try {
      await client.query('BEGIN');
      for (const statement of statements) await client.query(statement);
      const { rows } = await client.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid');
      await client.query(`PREPARE TRANSACTION '${name}'`);
      return rows[0]?.xid ?? '';
    } finally {
      await client.end();
    }
  }

  /** Where the log ends now, decimal. */
  async function position(): Promise<string> {
    const [row] = await here.cluster.sql<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    return parseLsn(row?.lsn ?? '').toString();
  }

  async function log(id: string, after: string) {
    const { position: last } = manifests.get(after)!;
    manifests.set(id, await here.log(id, last!.archivePoint ?? last!.end, {}, last!.fork));
  }

  async function shownAt(stop: RestoreStop | undefined): Promise<Shown> {
    const look = async (sql: (text: string) => Promise<object[]>): Promise<Shown> => {
      const texts = async (text: string) => (await sql(text)).map((row) => String(Object.values(row)[0]));
      return {
        rows: await texts('SELECT word FROM words ORDER BY word'),
        dropped: (await texts("SELECT to_regclass('gone_0') IS NULL"))[0] === 'true',
        prepared: await texts('SELECT gid FROM pg_prepared_xacts ORDER BY gid'),
      };
    };
    const logs = ['open', 'decided'];
    return await here.restored('full', look, { logs, ...(stop === undefined ? {} : { stop }) });
  }

  beforeAll(async () => {
    here = await BackedUpCluster.start({
      ...(bin === undefined ? {} : { bin, major }),
      settings: { track_commit_timestamp: 'on', wal_keep_size: '1GB', synchronous_commit: 'on' },
    });
    const { sql, server } = here.cluster;
    await sql('CREATE TABLE words (word text)');
    const dropped = Array.from({ length: 40 }, (_, index) => `gone_${index}`);
    await sql(dropped.map((name) => `CREATE TABLE ${name} (word text)`).join(';'));
    manifests.set('full', (await here.backup('full', 'full')).manifest);
    // The data backup is of a server that allowed none: a copy must allow as many as the log needs.
    await sql('ALTER SYSTEM SET max_prepared_transactions = 7');
    await sql('ALTER SYSTEM SET max_connections = 123');
    await server.stop();
    await server.restart();
    const points = Array.from({ length: 40 }, (_, index) => [
      `SAVEPOINT s${index}`,
      `INSERT INTO words SELECT 'none' WHERE pg_current_xact_id() IS NULL`,
      `CREATE TABLE new_${index} ()`,
    ]);
    xids.long = await prepare('long', [
      ...["INSERT INTO words VALUES ('long')", ...points.flat()],
      ...dropped.map((name) => `DROP TABLE ${name}`),
    ]);
    xids.other = await prepare('other', ["INSERT INTO words VALUES ('other')", 'CREATE TABLE others ()']);
    await sql("INSERT INTO words VALUES ('first')");
    await log('open', 'full');
    positions.before = await position();
    await sql("COMMIT PREPARED 'long'");
    positions.after = await position();
    const [row] = await sql<{ at: string }>(
      `SELECT to_char(pg_xact_commit_timestamp('${xids.long}'::xid) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at`,
    );
    commitAt = row?.at ?? '';
    await sql("ROLLBACK PREPARED 'other'");
    await sql("INSERT INTO words VALUES ('last')");
    await log('decided', 'open');
  });
  afterAll(() => here[Symbol.asyncDispose]());

  it('are in the log backup in which it was decided, with their own numbers', () => {
    const holds = (id: string, xid: string) =>
      manifests
        .get(id)!
        .position!.transactions!.some(([first, last]) => first <= Number(xid) && Number(xid) <= last);
    for (const xid of Object.values(xids)) {
      expect(holds('open', xid)).toBe(false);
      expect(holds('decided', xid)).toBe(true);
    }
    expect(manifests.get('decided')!.driverDetails).toMatchObject({ commits: 2 });
  });

  it('are had back as they stood before and after', async () => {
    expect(await shownAt({ position: positions.before })).toEqual(before);
    expect(await shownAt({ transaction: xids.long })).toEqual(after);
  });

  if (atLength)
    it('are had back by times, positions and the end of the log as well', async () => {
      expect(await shownAt({ at: commitAt })).toEqual(after);
      expect(await shownAt({ transaction: xids.other })).toEqual({ ...after, prepared: [] });
      const at = commitAt.replace(/(\d{6})Z$/, (_, micros: string) => {
        return `${String(Number(micros) - 1).padStart(6, '0')}Z`;
      });
      if (!commitAt.endsWith('000000Z')) expect(await shownAt({ at })).toEqual(before);
      expect(await shownAt({ position: positions.after })).toEqual(after);
      expect(await shownAt(undefined)).toEqual(atEnd);
    });
});
