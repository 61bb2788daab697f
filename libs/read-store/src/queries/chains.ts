import { chainsOf } from '@catena/chain';
import type { ChainView } from '@catena/events';
import { restorable } from '../generations/restorable.ts';
import { BackupRow, ChainRow } from '../rows/index.ts';
import { backupView } from './backups.ts';
import { decodeCursor } from './cursor.ts';
import { heldAt, rowsAt, type Moment } from './moment.ts';
import { cutPage, pageOfItems, rowsToRead } from './page.ts';
import type { Answer, Question } from './questions.ts';

/** Chains with their backups, the one that started last first. */
export async function listChains(
  moment: Moment,
  question: Question<'listChains'>,
): Promise<Answer<'listChains'>> {
  const { source, repository } = question;
  const query = rowsAt(moment, ChainRow, 'chain');
  if (source !== undefined) query.andWhere('chain.source = :source', { source });
  if (repository !== undefined) query.andWhere('chain.repository = :repository', { repository });
  if (question.after !== undefined) {
    const [oldest, id] = decodeCursor('chains', question.after).keys;
    query.andWhere(
      '(chain.oldestAsOf < :afterTime or (chain.oldestAsOf = :afterTime and chain.chain > :afterId))',
      { afterTime: oldest, afterId: id },
    );
  }
  const found = await query
    .orderBy('chain.oldestAsOf', 'DESC')
    .addOrderBy('chain.chain', 'ASC')
    .limit(rowsToRead(question.limit))
    .getMany();
  const { rows, next } = cutPage(moment, 'chains', question.limit, found, (row) => [
    row.oldestAsOf,
    row.chain,
  ]);
  return pageOfItems(moment, await chainViews(moment, rows), next);
}

async function chainViews(moment: Moment, rows: readonly ChainRow[]): Promise<ChainView[]> {
  if (rows.length === 0) return [];
  // References stay inside the chain, so its own backups say what of it is usable.
  const backups = await rowsAt(moment, BackupRow, 'backup')
    .andWhere('backup.chain = any(:chains)', { chains: rows.map(({ chain }) => chain) })
    .getMany();
  const views = new Map(chainsOf(backups.map(backupView)).map((view) => [view.chain, view]));
  const continued = await continuedChains(moment, rows);
  return rows.flatMap(({ chain }) => {
    const view = views.get(chain);
    // Which chain a collection continues depends on chains that may not be on this page.
    return view === undefined ? [] : [{ ...view, newest: continued.has(chain) }];
  });
}

/** Of each collection the conventional chain that started last and has something that can be restored. */
async function continuedChains(moment: Moment, rows: readonly ChainRow[]): Promise<ReadonlySet<string>> {
  const found = (await moment.runner.query(
    `select distinct on (chain.collection) chain.chain
      from chain
      where chain.collection = any($1) and not chain.copy_only
        and ${heldAt(moment, 'chain.valid_from', 'chain.valid_to')}
        and exists (
          select from backup
          where backup.chain = chain.chain and ${heldAt(moment, 'backup.valid_from', 'backup.valid_to')}
            and ${restorable('backup', 'backup', (alias) => heldAt(moment, `${alias}.valid_from`, `${alias}.valid_to`))})
      order by chain.collection, chain.start_position::numeric desc`,
    [[...new Set(rows.map(({ collection }) => collection))]],
  )) as { chain: string }[];
  return new Set(found.map(({ chain }) => chain));
}
