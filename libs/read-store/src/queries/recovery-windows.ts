import type { RecoveryWindowView } from '@catena/events';
import { recoveryWindows } from '../generations/recovery-windows.ts';
import { CollectionRow } from '../rows/index.ts';
import { decodeCursor } from './cursor.ts';
import { heldAt, rowsAt, type Moment } from './moment.ts';
import { cutPage, pageOfItems, rowsToRead } from './page.ts';
import { presentFields } from './present-fields.ts';
import type { Answer, Question } from './questions.ts';

interface WindowRow {
  source: string;
  repository: string;
  collection: string;
  family: string;
  fork: string;
  from_time: Date;
  to_time: Date;
  from_position: string;
  to_position: string;
  known_until: Date;
  backup: string;
  logs: string;
  bytes_added: string;
  gap_from_at: Date | null;
  gap_from_position: string | null;
  gap_to_position: string | null;
  left_branch: boolean;
}

/** From when to when any moment can be restored, newest first; of the last one of a collection also what is lost after it. */
export async function listRecoveryWindows(
  moment: Moment,
  question: Question<'listRecoveryWindows'>,
): Promise<Answer<'listRecoveryWindows'>> {
  const { source, repository, after } = question;
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const chosen = [
    ...(source === undefined ? [] : [`backup.source = ${parameter(source)}`]),
    ...(repository === undefined ? [] : [`backup.repository = ${parameter(repository)}`]),
  ];
  const windows = recoveryWindows({
    schema: '',
    held: (alias) => heldAt(moment, `${alias}.valid_from`, `${alias}.valid_to`),
    ...(chosen.length === 0 ? {} : { chosen: chosen.join(' and ') }),
  });
  const keys = after === undefined ? undefined : decodeCursor('recovery windows', after).keys;
  const beyond =
    keys === undefined
      ? 'true'
      : `(to_time, backup) < (${parameter(keys[0])}::timestamptz, ${parameter(keys[1])})`;
  const found = (await moment.runner.query(
    `select * from (${windows}) as recovery where ${beyond}
      order by to_time desc, backup desc limit ${rowsToRead(question.limit)}`,
    values,
  )) as WindowRow[];
  const { rows, next } = cutPage(moment, 'recovery windows', question.limit, found, (row) => [
    row.to_time.toISOString(),
    row.backup,
  ]);
  const lost = await lossesOf(moment, rows);
  return pageOfItems(
    moment,
    rows.map((row) => windowView(row, lost.get(row.collection))),
    next,
  );
}

/** By collection what is lost after its last log. */
async function lossesOf(moment: Moment, rows: readonly WindowRow[]) {
  const collections = [...new Set(rows.map(({ collection }) => collection))];
  if (collections.length === 0) return new Map<string, NonNullable<CollectionRow['lostLog']>>();
  const found = await rowsAt(moment, CollectionRow, 'collection')
    .andWhere('collection.collection = any(:collections)', { collections })
    .getMany();
  return new Map(
    found.flatMap(({ collection, lostLog }) => (lostLog == null ? [] : [[collection, lostLog] as const])),
  );
}

function windowView(row: WindowRow, lost: CollectionRow['lostLog'] | undefined): RecoveryWindowView {
  const { source, repository, collection, family, fork, backup } = row;
  const { gap_from_at: gapAt, gap_from_position: gapFrom, gap_to_position: gapTo } = row;
  return presentFields({
    ...{ source, repository, collection, family, fork },
    from: row.from_time.toISOString(),
    to: row.to_time.toISOString(),
    fromPosition: row.from_position,
    toPosition: row.to_position,
    knownUntil: row.known_until.toISOString(),
    backup,
    logs: Number(row.logs),
    bytesAdded: Number(row.bytes_added),
    gap:
      gapAt === null || gapFrom === null || gapTo === null
        ? null
        : { from: gapAt.toISOString(), fromPosition: gapFrom, toPosition: gapTo },
    lost: lost?.position === row.to_position && !row.left_branch ? lost : null,
    leftBranch: row.left_branch ? (true as const) : null,
  });
}
