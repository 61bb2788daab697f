import type { KeyView } from '@catena/events';
import { RepositoryKeyRow } from '../rows/index.ts';
import { decodeCursor } from './cursor.ts';
import { rowsAt, type Moment } from './moment.ts';
import { cutPage, pageOfItems, rowsToRead } from './page.ts';
import { presentFields } from './present-fields.ts';
import type { Answer, Question } from './questions.ts';

/** Generated keys by repository, and whether somebody stored them elsewhere. */
export async function listKeys(moment: Moment, question: Question<'listKeys'>): Promise<Answer<'listKeys'>> {
  const query = rowsAt(moment, RepositoryKeyRow, 'key');
  if (question.after !== undefined) {
    const [repository, key] = decodeCursor('keys', question.after).keys;
    query.andWhere('(key.repository, key.key) > (:afterRepository, :afterKey)', {
      afterRepository: repository,
      afterKey: key,
    });
  }
  const found = await query
    .orderBy('key.repository')
    .addOrderBy('key.key')
    .limit(rowsToRead(question.limit))
    .getMany();
  const { rows, next } = cutPage(moment, 'keys', question.limit, found, ({ repository, key }) => [
    repository,
    key,
  ]);
  return pageOfItems(moment, rows.map(keyView), next);
}

function keyView(row: RepositoryKeyRow): KeyView {
  const { repository, repositoryUid, keyId, path, generatedAt, exportedAt } = row;
  return presentFields({ repository, repositoryUid, keyId, path, generatedAt, exportedAt });
}
