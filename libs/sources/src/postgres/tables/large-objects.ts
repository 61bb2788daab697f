/** Large objects belong to a database and to no table; they keep their numbers, which rows refer to. */
import type { SqlSession } from './sql-session.ts';

const PIECE_BYTES = 1024 * 1024;

/** Answers how many bytes were moved. They belong to who restores. */
export async function moveLargeObjects(copy: SqlSession, target: SqlSession): Promise<number> {
  const objects = await copy.rows<{ oid: string }>(
    'SELECT oid::text AS oid FROM pg_catalog.pg_largeobject_metadata ORDER BY oid',
  );
  let bytes = 0;
  for (const { oid } of objects) {
    await target.rows('SELECT pg_catalog.lo_create($1::oid)', [oid]);
    for (let offset = 0; ;) {
      const { piece } = await copy.row<{ piece: Buffer }>(
        'SELECT pg_catalog.lo_get($1::oid, $2::int8, $3::int4) AS piece',
        [oid, offset, PIECE_BYTES],
      );
      if (piece.length > 0)
        await target.rows('SELECT pg_catalog.lo_put($1::oid, $2::int8, $3)', [oid, offset, piece]);
      bytes += piece.length;
      offset += piece.length;
      if (piece.length < PIECE_BYTES) break;
    }
  }
  return bytes;
}
