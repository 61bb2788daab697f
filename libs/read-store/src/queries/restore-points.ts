import type { RestorePointView } from '@catena/events';
import { restorable } from '../generations/restorable.ts';
import { BackupRow } from '../rows/index.ts';
import { decodeCursor } from './cursor.ts';
import { heldAt, rowsAt, type Moment } from './moment.ts';
import { cutPage, pageOfItems, rowsToRead } from './page.ts';
import type { Answer, Question } from './questions.ts';

/** What can be restored, newest first. `before` is the last time wanted, itself included. */
export async function listRestorePoints(
  moment: Moment,
  question: Question<'listRestorePoints'>,
): Promise<Answer<'listRestorePoints'>> {
  const { source, repository, before } = question;
  const held = (alias: string) => heldAt(moment, `${alias}.valid_from`, `${alias}.valid_to`);
  const query = rowsAt(moment, BackupRow, 'backup').andWhere(restorable('backup', '"backup"', held));
  if (source !== undefined) query.andWhere('backup.source = :source', { source });
  if (repository !== undefined) query.andWhere('backup.repository = :repository', { repository });
  if (before !== undefined) query.andWhere('backup.asOf <= :before', { before });
  if (question.after !== undefined) {
    const [asOf, id] = decodeCursor('restore points', question.after).keys;
    query.andWhere('(backup.asOf < :afterTime or (backup.asOf = :afterTime and backup.backup > :afterId))', {
      afterTime: asOf,
      afterId: id,
    });
  }
  const found = await query
    .orderBy('backup.asOf', 'DESC')
    .addOrderBy('backup.backup', 'ASC')
    .limit(rowsToRead(question.limit))
    .getMany();
  const { rows, next } = cutPage(moment, 'restore points', question.limit, found, (row) => [
    row.asOf,
    row.backup,
  ]);
  return pageOfItems(moment, rows.map(restorePointView), next);
}

function restorePointView(row: BackupRow): RestorePointView {
  const { source, repository, asOf: at, backup, type, copyOnly, chain } = row;
  return { source, repository, at, backup, type, copyOnly, chain };
}
