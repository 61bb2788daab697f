import type { DefinitionView } from '@catena/events';
import { DefinitionRow } from '../rows/index.ts';
import { decodeCursor } from './cursor.ts';
import { rowsAt, type Moment } from './moment.ts';
import { cutPage, pageOfItems, rowsToRead } from './page.ts';
import type { Answer, Question } from './questions.ts';

/** Definitions that are not deleted, by kind and name. */
export async function listDefinitions(
  moment: Moment,
  question: Question<'listDefinitions'>,
): Promise<Answer<'listDefinitions'>> {
  const query = rowsAt(moment, DefinitionRow, 'definition').andWhere('not definition.deleted');
  if (question.kind !== undefined) query.andWhere('definition.kind = :kind', { kind: question.kind });
  if (question.name !== undefined) query.andWhere('definition.name = :name', { name: question.name });
  if (question.after !== undefined) {
    const [kind, name] = decodeCursor('definitions', question.after).keys;
    query.andWhere('(definition.kind, definition.name) > (:afterKind, :afterName)', {
      afterKind: kind,
      afterName: name,
    });
  }
  const found = await query
    .orderBy('definition.kind')
    .addOrderBy('definition.name')
    .limit(rowsToRead(question.limit))
    .getMany();
  const { rows, next } = cutPage(moment, 'definitions', question.limit, found, ({ kind, name }) => [
    kind,
    name,
  ]);
  return pageOfItems(moment, rows.map(definitionView), next);
}

function definitionView(row: DefinitionRow): DefinitionView {
  const { kind, name, uid, generation, labels, spec, appliedAt, deleted } = row;
  return { kind, name, uid, generation, labels, spec, appliedAt, deleted };
}
