import { CatenaError } from '@catena/events';
import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';

/** More than one id begins so. */
export class AmbiguousIdError extends CatenaError {
  constructor(beginning: string, some: readonly string[]) {
    super('read-store.ambiguous-id', `More than one id begins with "${beginning}": ${some.join(', ')}, …`, {
      remedy: 'Write more of the id.',
      details: { beginning, some },
    });
  }
}

/**
 * The one id that is or begins with the text; undefined when none does.
 * @param rows the rows to look among
 * @param property which of their properties holds the id
 * @param kind what ids of the kind begin with before "-"; that much may be left out
 * @throws AmbiguousIdError
 */
export async function completeId<Row extends ObjectLiteral>(
  rows: SelectQueryBuilder<Row>,
  property: keyof Row & string,
  kind: 'run' | 'bkp',
  beginning: string,
): Promise<string | undefined> {
  const column = `${rows.alias}.${property}`;
  const pattern = `${beginning.replace(/[\\%_]/g, '\\$&')}%`;
  const found = await rows
    .select(column, 'id')
    .distinct(true)
    .andWhere(`(${column} like :pattern or ${column} like :whole)`, { pattern, whole: `${kind}-${pattern}` })
    .orderBy(column, 'ASC')
    .limit(2)
    .getRawMany<{ id: string }>();
  const [first, second] = found.map(({ id }) => id);
  const exact = first === beginning || first === `${kind}-${beginning}`;
  // Byte order puts the id that is the whole text first.
  if (first === undefined || second === undefined || exact) return first;
  throw new AmbiguousIdError(beginning, [first, second]);
}
