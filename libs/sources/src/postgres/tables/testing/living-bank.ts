/** A living database with a backup of it, and the copy that tables are taken from: brought up once, cloned for each test. */
import type { DatabaseRestore } from '@catena/events';
import pg from 'pg';
import type { RestoreOptions } from '../../../port/source-driver.ts';
import { BackedUpCluster } from '../../testing/backed-up-cluster.ts';
import type { ServerToTry } from '../../testing/servers-to-try.ts';
import { restoreDatabase } from '../restore-database.ts';
import { restoreTables, type PartsRestored } from '../restore-tables.ts';
import { restoreParts } from '../restore-parts.ts';
import { ScratchCopy } from '../scratch-copy.ts';
import { quoted } from '../sql-session.ts';
import { openTarget } from '../target-server.ts';

/** Everything that a table may have, so that what is lost would be seen. */
const BANK = `
  CREATE SCHEMA sales;
  CREATE TYPE mood AS ENUM ('fine', 'bad');
  CREATE TYPE place AS (street text, feeling mood);
  CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.note := coalesce(NEW.note, '') || '!'; RETURN NEW; END $$;
  CREATE FUNCTION fee() RETURNS int LANGUAGE sql AS 'SELECT 3';
  CREATE ROLE auditor;
  CREATE SEQUENCE numbers START 100;
  CREATE TABLE branches (id int PRIMARY KEY, name text UNIQUE);
  CREATE TABLE accounts (
    id bigserial PRIMARY KEY, branch int REFERENCES branches, owner text NOT NULL CHECK (owner <> ''),
    balance numeric(12, 2) NOT NULL DEFAULT 0, doubled numeric GENERATED ALWAYS AS (balance * 2) STORED,
    moods mood[] DEFAULT '{fine}', home place, note text, data bytea, gone int);
  ALTER TABLE accounts DROP COLUMN gone;
  ALTER TABLE accounts ALTER COLUMN note SET STORAGE EXTERNAL;
  CREATE INDEX accounts_by_owner ON accounts (lower(owner)) WHERE balance > 0;
  CREATE STATISTICS accounts_st (dependencies) ON branch, owner FROM accounts;
  CREATE TRIGGER accounts_noted BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION noted();
  ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
  CREATE POLICY all_of_them ON accounts USING (true);
  COMMENT ON COLUMN accounts.owner IS 'who; -- not: what';
  GRANT SELECT, UPDATE (note) ON accounts TO auditor;
  CREATE TABLE transfers (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account bigint REFERENCES accounts ON DELETE CASCADE, amount numeric);
  CREATE TABLE parts (n int, word text) PARTITION BY RANGE (n);
  CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (100);
  CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (100) TO (10000);
  CREATE INDEX ON parts (n);
  CREATE VIEW rich AS SELECT id, owner FROM accounts WHERE balance > 900;
  CREATE MATERIALIZED VIEW totals AS SELECT branch, sum(balance) AS total FROM accounts GROUP BY branch;
  CREATE TABLE sales.orders (n int DEFAULT nextval('public.numbers'), fee int DEFAULT public.fee(), feeling mood);
  ALTER TABLE sales.orders OWNER TO auditor;
  CREATE UNLOGGED TABLE fleeting (n int);
  CREATE TABLE "Odd ""Name" ("a b" int PRIMARY KEY);
  INSERT INTO "Odd ""Name" VALUES (7);
  INSERT INTO branches SELECT n, 'branch ' || n FROM generate_series(1, 10) n;
  INSERT INTO accounts (branch, owner, balance, moods, home, data) SELECT n % 10 + 1, 'o' || n, n,
      CASE WHEN n % 2 = 0 THEN '{bad,fine}'::mood[] END, ROW('s' || n, 'bad')::place, decode(md5(n::text), 'hex')
    FROM generate_series(1, 2000) n;
  INSERT INTO transfers (account, amount) SELECT n, n FROM generate_series(1, 500) n;
  INSERT INTO parts SELECT n, 'p' || n FROM generate_series(0, 999) n;
  INSERT INTO sales.orders (feeling) SELECT 'bad' FROM generate_series(1, 5);
  REFRESH MATERIALIZED VIEW totals;
  SELECT lo_from_bytea(4711, decode(repeat('ab', 5000), 'hex'));`;

/** What there is to know of a table but its rows: its text is the same when nothing was lost. */
const DEFINITION = `
  SELECT jsonb_build_object(
    'columns', (SELECT jsonb_agg(jsonb_build_object('name', attname, 'type', format_type(atttypid, atttypmod), 'notNull', attnotnull,
        'storage', attstorage, 'generated', attgenerated, 'identity', attidentity, 'acl', attacl::text,
        'default', (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum),
        'comment', col_description(attrelid, attnum)) ORDER BY attnum)
      FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
    'indexes', (SELECT jsonb_agg(pg_get_indexdef(indexrelid) ORDER BY pg_get_indexdef(indexrelid)) FROM pg_index WHERE indrelid = c.oid),
    'constraints', (SELECT jsonb_agg(conname || pg_get_constraintdef(oid) ORDER BY conname) FROM pg_constraint WHERE conrelid = c.oid),
    'triggers', (SELECT jsonb_agg(pg_get_triggerdef(oid) ORDER BY tgname) FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal),
    'policies', (SELECT jsonb_agg(polname || pg_get_expr(polqual, polrelid)) FROM pg_policy WHERE polrelid = c.oid),
    'statistics', (SELECT jsonb_agg(pg_get_statisticsobjdef(oid)) FROM pg_statistic_ext WHERE stxrelid = c.oid),
    'owner', pg_get_userbyid(relowner), 'acl', relacl::text, 'security', relrowsecurity)::text AS definition
  FROM pg_class c WHERE oid = `;

export class LivingBank {
  readonly here: BackedUpCluster;
  readonly scratch: ScratchCopy;
  readonly #admin: URL;
  #restores = 0;

  private constructor(here: BackedUpCluster, scratch: ScratchCopy) {
    this.here = here;
    this.scratch = scratch;
    this.#admin = new URL(here.cluster.server.adminUrl);
    process.env['TEST_ADMIN_PASSWORD'] = decodeURIComponent(this.#admin.password);
  }

  static async start({ major, bin }: ServerToTry): Promise<LivingBank> {
    const here = await BackedUpCluster.start({ major, bin });
    await here.cluster.sql(BANK);
    await here.backup('full', 'full');
    const reader = await here.collection.openBackup('full');
    try {
      const place = { scratch: here.at(), programs: here.cluster.server.bin };
      return new LivingBank(here, await ScratchCopy.make(reader, place, { run: 'shared' }));
    } finally {
      await reader.close();
    }
  }

  /** Asks a database of the living server, as superuser. */
  async sql<T extends object = Record<string, unknown>>(text: string, database = 'catena'): Promise<T[]> {
    const url = new URL(this.#admin);
    url.pathname = `/${database}`;
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    try {
      return (await client.query<T>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** All that is to know of a table, as one text. */
  async whole(table: string, database = 'catena'): Promise<string> {
    const [row] = await this.sql<{ definition: string }>(`${DEFINITION} '${table}'::regclass`, database);
    const [rows] = await this.sql<{ hash: string }>(
      `SELECT md5(string_agg(md5(t::text), '' ORDER BY t::text)) AS hash FROM ${table} t`,
      database,
    );
    return `${row?.definition} ${rows?.hash}`;
  }

  wanted(parts: Partial<DatabaseRestore>, database = 'catena'): DatabaseRestore {
    const { server } = this.here.cluster;
    return {
      into: {
        ...{ host: server.host, port: server.port, user: this.#admin.username, database },
        ...{ tls: { mode: 'disable' }, password: { env: 'TEST_ADMIN_PASSWORD' } },
      },
      ...{ tables: [], replace: false, skipMissing: [], owners: true, privileges: true },
      ...{ programs: server.bin, scratch: this.here.at() },
      ...parts,
    };
  }

  /** As a person gets it: with a copy of its own. */
  async restoreWhole(wanted: DatabaseRestore, options: Partial<RestoreOptions> = {}) {
    const reader = await this.here.collection.openBackup('full');
    try {
      return await restoreParts(reader, wanted, { run: `run-${++this.#restores}`, ...options });
    } finally {
      await reader.close();
    }
  }

  /** Takes tables, or the whole database when there are none, from a clone of the shared copy. */
  async restore(parts: Partial<DatabaseRestore>, database = 'catena'): Promise<PartsRestored> {
    const clone = `clone_${++this.#restores}`;
    {
      using maintenance = await this.scratch.session('postgres');
      await maintenance.run(`CREATE DATABASE ${quoted(clone)} TEMPLATE catena`);
    }
    using copy = await this.scratch.session(clone);
    const wanted = this.wanted(parts, database);
    using target = await openTarget(wanted.into);
    const options: RestoreOptions = { run: clone };
    return wanted.tables.length === 0
      ? await restoreDatabase(this.scratch, clone, copy, target, wanted, options)
      : await restoreTables(this.scratch, clone, copy, target, wanted, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scratch[Symbol.asyncDispose]();
    await this.here[Symbol.asyncDispose]();
  }
}
