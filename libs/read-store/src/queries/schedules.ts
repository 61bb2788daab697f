import type { ScheduleView } from '@catena/events';
import { ScheduleRow, type ScheduleSkip } from '../rows/index.ts';
import { decodeCursor } from './cursor.ts';
import { rowsAt, type Moment } from './moment.ts';
import { cutPage, pageOfItems, rowsToRead } from './page.ts';
import { presentFields } from './present-fields.ts';
import type { Answer, Question } from './questions.ts';

/** State of the schedules that are defined, by name. */
export async function listSchedules(
  moment: Moment,
  question: Question<'listSchedules'>,
): Promise<Answer<'listSchedules'>> {
  const query = rowsAt(moment, ScheduleRow, 'schedule');
  if (question.name !== undefined) query.andWhere('schedule.name = :name', { name: question.name });
  if (question.after !== undefined) {
    const [name, uid] = decodeCursor('schedules', question.after).keys;
    query.andWhere('(schedule.name, schedule.uid) > (:afterName, :afterUid)', {
      afterName: name,
      afterUid: uid,
    });
  }
  const found = await query
    .orderBy('schedule.name')
    .addOrderBy('schedule.uid')
    .limit(rowsToRead(question.limit))
    .getMany();
  const { rows, next } = cutPage(moment, 'schedules', question.limit, found, ({ name, uid }) => [name, uid]);
  return pageOfItems(moment, rows.map(scheduleView), next);
}

function scheduleView(row: ScheduleRow): ScheduleView {
  const { name, uid, paused, pauseReason, lastFired, lastRun, lastSkip } = row;
  return presentFields({
    name,
    uid,
    paused,
    pauseReason,
    lastFired,
    lastRun,
    lastSkip: lastSkip === null ? null : skipText(lastSkip),
  });
}

/** `waitingForFull: incremental 2026-01-31T12:00:00.000Z`. */
function skipText({ reason, cadence, nominal, by }: ScheduleSkip): string {
  return `${reason}: ${cadence} ${nominal}${by === undefined ? '' : ` (${by})`}`;
}
