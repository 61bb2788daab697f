import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { generationsDataSource } from '../connection/data-source.ts';
import { ReadStore } from '../read-store.ts';
import { StoreBench } from '../testing/store-bench.ts';

// Whatever else the machine does: a real server may be slow, never wrong.

let bench: StoreBench;
beforeAll(async () => {
  bench = await StoreBench.start();
});
afterEach(() => bench.closeStores());
afterAll(() => bench.end());

async function query<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('migrations', () => {
  it('make the tables that the entities describe', async () => {
    const url = await bench.postgres.createDatabase();
    await bench.open(url);
    const columns = await query<{ place: string; nullable: string; type: string }>(
      url,
      `select table_schema || '.' || table_name || '.' || column_name as place, is_nullable as nullable,
          case when data_type = 'ARRAY' then udt_name else data_type end as type
        from information_schema.columns join information_schema.tables using (table_schema, table_name)
        where table_schema in ('catena', 'catena_1') and table_type = 'BASE TABLE' and table_name <> 'migration'`,
    );
    const dataSource = await generationsDataSource({ url }).initialize();
    const described = dataSource.entityMetadatas.flatMap(({ tableName, schema, columns: all }) =>
      all.map((column) => ({
        place: `${schema ?? 'catena_1'}.${tableName}.${column.databaseName}`,
        nullable: column.isNullable ? 'YES' : 'NO',
        type: column.isArray
          ? `_${String(column.type)}`
          : (TYPES[String(column.type)] ?? String(column.type)),
      })),
    );
    await dataSource.destroy();
    const byPlace = (a: { place: string }, b: { place: string }) => (a.place < b.place ? -1 : 1);
    expect(columns.sort(byPlace)).toEqual(described.sort(byPlace));
  });

  it('are run once when several processes start at once on an empty database', async () => {
    const url = await bench.postgres.createDatabase();
    const stores = await Promise.all([1, 2, 3, 4].map(() => bench.open(url)));
    for (const store of stores) expect((await store.queries.state()).generation).toBe('catena_1');
    expect(await query(url, 'select number, state from catena.generation')).toEqual([
      { number: 1, state: 'live' },
    ]);
    expect(await query(url, 'select count(*)::int as count from catena_1.migration')).toEqual([{ count: 2 }]);
  });

  it('finish what a start that was killed had begun', async () => {
    const url = await bench.postgres.createDatabase();
    await query(url, 'create schema catena');
    const first = await ReadStore.open({ url });
    await first.close();
    // As a kill between the first copy's tables and its becoming live leaves it.
    await query(url, `update catena.generation set state = 'building'`);
    const store = await bench.open(url);
    expect(await store.queries.state()).toMatchObject({ generation: 'catena_1', sequence: 0 });
  });

  it('say what a login lacks that may not make schemas', async () => {
    const { adminUrl } = bench.postgres;
    await query(adminUrl, `create role reader login password 'secret'`);
    await query(adminUrl, 'create database closed');
    const url = new URL(adminUrl);
    url.username = 'reader';
    url.password = 'secret';
    url.pathname = '/closed';
    await expect(ReadStore.open({ url: url.href, waitMilliseconds: 0 })).rejects.toMatchObject({
      code: 'read-store.not-permitted',
      remedy: 'grant create on database "closed" to "reader";',
    });
  });

  it('wait for a server that is still starting, for as long as one likes', async () => {
    await expect(
      ReadStore.open({ url: 'postgres://nobody:nothing@127.0.0.1:1/none', waitMilliseconds: 0 }),
    ).rejects.toMatchObject({ code: 'read-store.unavailable', retryable: true });
  });
});

const TYPES: Readonly<Record<string, string>> = { timestamptz: 'timestamp with time zone' };
