import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { serversToTry } from '../testing/servers-to-try.ts';
import { claimDatabase, dropAbandoned } from './abandoned-databases.ts';
import { stagedName } from './staged-name.ts';
import { openTarget } from './target-server.ts';
import { LivingBank } from './testing/living-bank.ts';

const atLength = process.env['CATENA_TEST_LONG'] === '1' ? it : it.skip;

describe.each(serversToTry())(
  'parts of a cluster of PostgreSQL $major, into a server that lives',
  (server) => {
    let bank: LivingBank;
    const sql = <T extends object = Record<string, unknown>>(text: string, database?: string) =>
      bank.sql<T>(text, database);
    const scratchFolders = () =>
      readdirSync(bank.here.at()).filter((name) => name.startsWith('catena-scratch-'));

    beforeAll(async () => {
      bank = await LivingBank.start(server);
    });
    afterAll(() => bank[Symbol.asyncDispose](), 60_000);

    it('a table that was dropped comes back with all that belongs to it, and its numbers go on', async () => {
      const before = await bank.whole('accounts');
      await sql('DROP VIEW rich; DROP MATERIALIZED VIEW totals; DROP TABLE transfers, accounts');
      const seen: string[] = [];
      const outcome = await bank.restoreWhole(
        bank.wanted({ tables: ['accounts', 'transfers', 'rich', 'totals'] }),
        {
          progress: ({ current }) => {
            if (current !== undefined) seen.push(current);
          },
        },
      );
      expect(outcome).toMatchObject({ files: 2, warningCount: 0 });
      expect(outcome.tables).toEqual([
        { name: 'public.accounts', rows: 2000 },
        { name: 'public.transfers', rows: 500 },
      ]);
      expect(await bank.whole('accounts')).toBe(before);
      expect(
        await sql('SELECT count(*)::int AS rich, (SELECT sum(total)::int FROM totals) AS total FROM rich'),
      ).toEqual([{ rich: 1100, total: 2_001_000 }]);
      const [added] = await sql<{ id: string; note: string }>(
        `INSERT INTO accounts (owner, balance) VALUES ('new', 1) RETURNING id, note`,
      );
      expect(Number(added?.id)).toBeGreaterThan(2000);
      expect(added?.note).toBe('!');
      expect(seen).toContain('public.transfers');
      expect(scratchFolders()).toHaveLength(1);
      await sql(`DELETE FROM accounts WHERE owner = 'new'`);
    });

    it('what has its names is not touched, unless it is to be replaced or something else is lost by that', async () => {
      await sql(`UPDATE accounts SET balance = 0`);
      const damaged = await bank.whole('accounts');
      await expect(bank.restoreWhole(bank.wanted({ tables: ['accounts'] }))).rejects.toMatchObject({
        code: 'restore.targetExists',
        message: expect.stringContaining('table public.accounts'),
      });
      await expect(bank.restore({ tables: ['acc*'] })).rejects.toMatchObject({
        code: 'restore.targetExists',
        message: expect.stringMatching(
          /table public\.accounts, index public\.accounts_by_owner.* sequence public\.accounts_id_seq/,
        ),
      });
      await expect(bank.restore({ tables: ['accounts'], replace: true })).rejects.toMatchObject({
        code: 'restore.dependants',
        message: expect.stringContaining('materialized view public.totals'),
      });
      expect(await bank.whole('accounts')).toBe(damaged);
    });

    it('a damaged table is replaced, and foreign keys that point to it stay', async () => {
      await sql('DROP VIEW rich; DROP MATERIALIZED VIEW totals');
      await sql(`UPDATE accounts SET balance = 0; DELETE FROM accounts WHERE id > 1000`);
      const keys = await bank.whole('transfers');
      const { tables } = await bank.restore({ tables: ['accounts'], replace: true });
      expect(tables).toEqual([{ name: 'public.accounts', rows: 2000 }]);
      expect(await sql('SELECT sum(balance)::int AS sum FROM accounts')).toEqual([{ sum: 2_001_000 }]);
      expect(await bank.whole('transfers')).toBe(keys);
      await sql(
        `INSERT INTO accounts (id, owner) VALUES (999999, 'later'); INSERT INTO transfers (account) VALUES (999999)`,
      );
      const now = await bank.whole('accounts');
      await expect(bank.restore({ tables: ['accounts'], replace: true })).rejects.toMatchObject({
        code: 'restore.targetRefused',
        message: expect.stringContaining('transfers_account_fkey'),
      });
      expect(await bank.whole('accounts')).toBe(now);
      await sql(`DELETE FROM accounts WHERE id = 999999`);
      await bank.restore({ tables: ['rich', 'totals'] });
      const together = { tables: ['accounts', 'transfers', 'rich', 'totals', 'branches'], replace: true };
      expect((await bank.restore(together)).tables).toHaveLength(3);
      expect(await bank.whole('transfers')).toBe(keys);
    });

    it('tables come beside those that are there, with their parts', async () => {
      const { tables } = await bank.restore({
        tables: ['accounts', 'parts', '"Odd ""Name"'],
        schema: 'then',
      });
      expect(tables.map(({ name, rows }) => `${name} ${rows}`)).toEqual([
        'then.Odd "Name 1',
        'then.accounts 2000',
        'then.parts_high 900',
        'then.parts_low 100',
      ]);
      expect(await sql('SELECT count(*)::int AS n FROM "then".parts')).toEqual([{ n: 1000 }]);
      expect(await sql(`SELECT pg_get_serial_sequence('"then".accounts', 'id') AS s`)).toEqual([
        { s: '"then".accounts_id_seq' },
      ]);
      expect(
        await sql(`SELECT stxnamespace::regnamespace::text AS s FROM pg_statistic_ext ORDER BY oid`),
      ).toEqual([{ s: 'public' }, { s: '"then"' }]);
      expect(await sql(`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'catena%'`)).toEqual([]);
      await sql('DROP SCHEMA "then" CASCADE');
    });

    atLength('a part of a partitioned table comes back into it', async () => {
      const count = 'SELECT count(*)::int AS n FROM parts';
      await sql('DROP TABLE parts_low');
      await bank.restore({ tables: ['parts_low'] });
      expect(await sql(count)).toEqual([{ n: 1000 }]);
      await sql('DELETE FROM parts_low');
      await bank.restore({ tables: ['parts_low'], replace: true });
      expect(await sql(count)).toEqual([{ n: 1000 }]);
      await bank.restore({ tables: ['parts_low'], schema: 'then' });
      expect(await sql(count)).toEqual([{ n: 1000 }]);
      await sql('DROP SCHEMA "then" CASCADE');
    });

    it('what is missing there is named, all of it, and done without when that is allowed', async () => {
      await sql('CREATE DATABASE elsewhere TEMPLATE template0');
      const wanted = { tables: ['accounts', 'sales.orders', 'totals'] };
      await expect(bank.restore(wanted, 'elsewhere')).rejects.toMatchObject({
        code: 'restore.partsMissing',
        details: {
          missing: expect.arrayContaining([
            expect.stringMatching(/^schema sales, which table sales\.orders needs$/),
            expect.stringMatching(
              /^type public\.mood, which column moods of table public\.accounts needs|type (public\.)?mood/,
            ),
            expect.stringMatching(/function (public\.)?noted\(\), which trigger accounts_noted/),
            expect.stringMatching(/function (public\.)?fee\(\), which default value for column fee/),
            expect.stringMatching(/sequence (public\.)?numbers, which default value for column n/),
            expect.stringMatching(/table (public\.)?branches, which constraint accounts_branch_fkey/),
          ]) as unknown,
        },
        remedy: expect.stringContaining('--skip-missing-foreign-keys, '),
      });
      await sql(
        `CREATE SCHEMA sales; CREATE TYPE public.mood AS ENUM ('other', 'bad', 'fine');
      CREATE TYPE public.place AS (street text, feeling public.mood)`,
        'elsewhere',
      );
      const { warnings } = await bank.restore(
        { ...wanted, skipMissing: ['foreignKeys', 'functions', 'sequences'] },
        'elsewhere',
      );
      expect(warnings.map(({ message }) => message).sort()).toEqual([
        expect.stringMatching(/constraint accounts_branch_fkey .*there is no .*branches/),
        expect.stringMatching(/default value for column fee .*there is no function/),
        expect.stringMatching(/default value for column n .*there is no sequence/),
        expect.stringMatching(/trigger accounts_noted .*there is no function/),
      ]);
      const same = 'SELECT md5(string_agg(t::text, $$,$$ ORDER BY id)) AS hash FROM public.accounts t';
      expect(await sql(same, 'elsewhere')).toEqual(await sql(same.replace('public.accounts', 'accounts')));
      expect(await sql('SELECT count(*)::int AS n FROM public.totals', 'elsewhere')).toEqual([{ n: 10 }]);
      await sql('DROP DATABASE elsewhere');
    });

    atLength('views whose tables are missing are left out when that is allowed', async () => {
      await sql('CREATE DATABASE elsewhere TEMPLATE template0');
      const tables = ['branches', 'rich'];
      await expect(bank.restore({ tables }, 'elsewhere')).rejects.toMatchObject({
        remedy: expect.stringContaining('--skip-missing-views'),
      });
      const { tables: moved, warnings } = await bank.restore({ tables, skipMissing: ['views'] }, 'elsewhere');
      expect(moved).toEqual([{ name: 'public.branches', rows: 10 }]);
      expect(warnings).not.toEqual([]);
      await sql('DROP DATABASE elsewhere');
    });

    it('roles that are missing are named; without them things belong to who restores', async () => {
      await sql('DROP TABLE sales.orders; REVOKE ALL ON accounts FROM auditor; DROP ROLE auditor');
      await expect(bank.restore({ tables: ['sales.orders'] })).rejects.toMatchObject({
        code: 'restore.partsMissing',
        message: expect.stringContaining('role auditor (owner of table sales.orders)'),
        remedy: expect.stringContaining('--no-owner'),
      });
      await bank.restore({ tables: ['sales.orders'], skipMissing: ['roles'] });
      const owner = `SELECT tableowner AS owner FROM pg_tables WHERE tablename = 'orders'`;
      expect(await sql(owner)).toEqual([{ owner: 'postgres' }]);
      await sql('DROP TABLE sales.orders');
      await bank.restore({ tables: ['sales.orders'], owners: false });
      expect(await sql(owner)).toEqual([{ owner: 'postgres' }]);
      await sql('CREATE ROLE auditor');
    });

    it('a name that the database did not have is refused with those it had', async () => {
      await expect(bank.restore({ tables: ['account'] })).rejects.toMatchObject({
        code: 'restore.tableUnknown',
        remedy: expect.stringContaining('public.accounts'),
      });
    });

    it('unlogged tables come back empty, which is said', async () => {
      await sql('DROP TABLE fleeting');
      const { warnings } = await bank.restore({ tables: ['fleeting'] });
      expect(warnings).toMatchObject([{ code: 'postgres.unloggedEmpty' }]);
    });

    it('a whole database comes back under another name, and only when it is complete', async () => {
      const seen = new Map<string, string | null>();
      const comments = `SELECT datname, shobj_description(oid, 'pg_database') AS comment FROM pg_database`;
      const look = async () => {
        seen.clear();
        for (const one of await sql<{ datname: string; comment: string | null }>(comments))
          seen.set(one.datname, one.comment);
      };
      const wanted = bank.wanted({ database: 'catena' }, 'bank then');
      const beforeVisible = async () => {
        await look();
        // Another restore meanwhile leaves it alone.
        using other = await openTarget(bank.wanted({}).into);
        expect(await dropAbandoned(other, 'another')).toEqual({ dropped: [], left: [] });
      };
      const outcome = await bank.restoreWhole(wanted, { beforeVisible });
      expect([...seen.keys()]).not.toContain('bank then');
      expect([...seen].find(([name]) => name.startsWith('bank then-catena-'))?.[1]).toContain('Catena');
      await look();
      expect(seen.get('bank then')).toBe(null);
      expect(outcome.tables?.map(({ name, rows }) => `${name} ${rows}`)).toContain('public.transfers 500');
      expect(outcome.warnings).toMatchObject([{ code: 'postgres.unloggedEmpty' }]);
      expect(await bank.whole('public.branches', 'bank then')).toBe(await bank.whole('public.branches'));
      expect(
        await sql(
          `SELECT length(lo_get(4711)) AS n, (SELECT sum(total)::int FROM totals) AS total`,
          'bank then',
        ),
      ).toEqual([{ n: 5000, total: 2_001_000 }]);
      await expect(bank.restoreWhole(wanted)).rejects.toMatchObject({ code: 'restore.targetExists' });
      await sql('DROP DATABASE "bank then"');
    });

    it('a database that a killed restore has left is dropped by the next one, and nothing else is', async () => {
      using session = await openTarget(bank.wanted({}).into);
      const gone = await openTarget(bank.wanted({}).into);
      const abandoned = stagedName('abandoned', 'a run');
      await session.run(`CREATE DATABASE "${abandoned}" TEMPLATE template0`);
      await claimDatabase(gone, abandoned, 'a run');
      expect(await dropAbandoned(session, 'another')).toEqual({ dropped: [], left: [] });
      const { pid } = await gone.row<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      gone.close();
      while ((await session.rows('SELECT FROM pg_stat_activity WHERE pid = $1', [pid])).length > 0);
      const nothing = { dropped: [], left: [] };
      // Its own next attempt drops it by itself, and what has another name or comment is somebody's.
      expect(await dropAbandoned(session, 'a run')).toEqual(nothing);
      for (const name of ['abandoned', 'abandoned-catena-0123456789ab']) {
        await session.run(`ALTER DATABASE "${abandoned}" RENAME TO "${name}"`);
        expect(await dropAbandoned(session, 'another')).toEqual(nothing);
        await session.run(`ALTER DATABASE "${name}" RENAME TO "${abandoned}"`);
      }
      const comment = `SELECT shobj_description(oid, 'pg_database') AS text FROM pg_database WHERE datname = '${abandoned}'`;
      const { text } = await session.row<{ text: string }>(comment);
      for (const other of ['NULL', `'mine'`, `'${text.replace('{', '')}'`]) {
        await session.run(`COMMENT ON DATABASE "${abandoned}" IS ${other}`);
        expect(await dropAbandoned(session, 'another')).toEqual(nothing);
      }
      await session.run(`COMMENT ON DATABASE "${abandoned}" IS '${text}'`);
      {
        using working = await openTarget(bank.wanted({}, abandoned).into);
        expect(working.majorVersion).toBe(session.majorVersion);
        expect(await dropAbandoned(session, 'another')).toEqual({
          dropped: [],
          left: [{ name: abandoned, error: expect.objectContaining({ code: '55006' }) }],
        });
      }
      const inside = `SELECT FROM pg_stat_activity WHERE datname = '${abandoned}'`;
      while ((await session.rows(inside)).length > 0);
      expect(await dropAbandoned(session, 'another')).toEqual({ dropped: [abandoned], left: [] });
    });

    it('a restore that is cancelled or fails leaves nothing: no table, no database, no copy', async () => {
      const cancelled = new AbortController();
      await sql('DROP TABLE transfers');
      const restore = bank.restoreWhole(bank.wanted({ tables: ['transfers'] }), {
        signal: cancelled.signal,
        beforeVisible: async () => cancelled.abort(new Error('enough')),
      });
      await expect(restore).rejects.toThrow('enough');
      const failing = bank.restoreWhole(bank.wanted({ database: 'catena' }, 'never'), {
        beforeVisible: () => Promise.reject(new Error('lost')),
      });
      await expect(failing).rejects.toThrow();
      expect(await sql(`SELECT to_regclass('transfers') AS t`)).toEqual([{ t: null }]);
      expect(await sql(`SELECT datname FROM pg_database WHERE datname LIKE 'never%'`)).toEqual([]);
      expect(scratchFolders()).toHaveLength(1);
    });
  },
);
