import type { BackupView } from '@catena/events';
import { BackupRow } from '../rows/index.ts';
import { decodeCursor } from './cursor.ts';
import { completeId } from './id-beginning.ts';
import { rowsAt, type Moment } from './moment.ts';
import { cutPage, pageOfItems, rowsToRead } from './page.ts';
import { presentFields } from './present-fields.ts';
import type { Answer, Question } from './questions.ts';

/** Backups in any state, newest first by the time they show. */
export async function listBackups(
  moment: Moment,
  question: Question<'listBackups'>,
): Promise<Answer<'listBackups'>> {
  const { source, repository, backup, chain, copyOnly, states } = question;
  const query = rowsAt(moment, BackupRow, 'backup');
  if (source !== undefined) query.andWhere('backup.source = :source', { source });
  if (repository !== undefined) query.andWhere('backup.repository = :repository', { repository });
  if (copyOnly !== undefined) query.andWhere('backup.copyOnly = :copyOnly', { copyOnly });
  if (states !== undefined) query.andWhere('backup.state in (:...states)', { states });
  if (backup !== undefined) {
    const id = await completeId(rowsAt(moment, BackupRow, 'backup'), 'backup', 'bkp', backup);
    query.andWhere('backup.backup = :id', { id: id ?? '' });
  }
  if (chain !== undefined) {
    const id = await completeId(rowsAt(moment, BackupRow, 'backup'), 'chain', 'bkp', chain);
    query.andWhere('backup.chain = :chain', { chain: id ?? '' });
  }
  if (question.after !== undefined) {
    const [asOf, id] = decodeCursor('backups', question.after).keys;
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
  const { rows, next } = cutPage(moment, 'backups', question.limit, found, (row) => [row.asOf, row.backup]);
  return pageOfItems(moment, rows.map(backupView), next);
}

export function backupView(row: BackupRow): BackupView {
  const { validFrom: _from, validTo: _to, ...rest } = row;
  const { stateBecause, undoUntil, pinned, ...shown } = rest;
  const { manifestName, manifestHash, verifiedAt, verifiedDepth, ...facts } = shown;
  const hasExpired = row.state === 'expired' || stateBecause !== null;
  return presentFields({
    ...facts,
    manifest: { name: manifestName, hash: manifestHash },
    pinned: pinned ? true : null,
    expired: hasExpired ? presentFields({ because: stateBecause, undoUntil }) : null,
    verified: verifiedAt === null || verifiedDepth === null ? null : { at: verifiedAt, depth: verifiedDepth },
  });
}
