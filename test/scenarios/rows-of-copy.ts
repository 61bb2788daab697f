import type { ScratchServer } from '@catena/sources/testing/postgres';
import pg from 'pg';

/** Rows of a query in a started copy of a test's cluster. */
export async function rowsOf<T extends object>(
  { host, port }: Pick<ScratchServer, 'host' | 'port'>,
  text: string,
): Promise<T[]> {
  const client = new pg.Client({ host, port, user: 'postgres', database: 'catena' });
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}
