import type { RunPlan, RunView } from '@catena/events';
import { RUN_OVER } from '../projectors/runs.ts';
import { RunPlanRow, RunRow } from '../rows/index.ts';
import { decodeCursor } from './cursor.ts';
import { completeId } from './id-beginning.ts';
import { rowsAt, type Moment } from './moment.ts';
import { cutPage, pageOfItems, rowsToRead } from './page.ts';
import { presentFields } from './present-fields.ts';
import type { Answer, Question } from './questions.ts';

/** Runs, newest request first. */
export async function listRuns(moment: Moment, question: Question<'listRuns'>): Promise<Answer<'listRuns'>> {
  const { source, repository, run, schedule, state, active } = question;
  const query = rowsAt(moment, RunRow, 'run');
  if (source !== undefined) query.andWhere('run.source = :source', { source });
  if (repository !== undefined) query.andWhere('run.repository = :repository', { repository });
  if (schedule !== undefined) query.andWhere('run.schedule = :schedule', { schedule });
  if (state !== undefined) query.andWhere('run.state = :state', { state });
  if (active === true) query.andWhere('run.finishedAt is null');
  if (active === false) query.andWhere('run.state = any(:over)', { over: [...RUN_OVER] });
  if (run !== undefined) {
    const id = await completeId(rowsAt(moment, RunRow, 'run'), 'run', 'run', run);
    query.andWhere('run.run = :id', { id: id ?? '' });
  }
  if (question.after !== undefined) {
    const [requestedSequence] = decodeCursor('runs', question.after).keys;
    query.andWhere('run.requestedSequence < :requestedSequence', { requestedSequence });
  }
  const found = await query
    .orderBy('run.requestedSequence', 'DESC')
    .limit(rowsToRead(question.limit))
    .getMany();
  const { rows, next } = cutPage(moment, 'runs', question.limit, found, ({ requestedSequence }) => [
    requestedSequence,
  ]);
  const plans = await plansOf(moment, rows);
  return pageOfItems(
    moment,
    rows.map((row) => runView(row, plans.get(row.run))),
    next,
  );
}

async function plansOf(moment: Moment, runs: readonly RunRow[]): Promise<ReadonlyMap<string, RunPlan>> {
  if (runs.length === 0) return new Map();
  const plans = await rowsAt(moment, RunPlanRow, 'plan')
    .andWhere('plan.run = any(:runs)', { runs: runs.map(({ run }) => run) })
    .getMany();
  return new Map(plans.map(({ run, plan }) => [run, plan]));
}

function runView(row: RunRow, plan: RunPlan | undefined): RunView {
  const { run, kind, state, request, source, repository, schedule, scheduleUid, cadence, nominal } = row;
  const { requestedAt, plannedAt, startedAt, finishedAt, attempt, mover, backup } = row;
  const { failure, warnings, warningCount, statistics, detail, priority, waiting } = row;
  return presentFields({
    ...{ run, kind, state, request, plan: plan ?? null, source, repository },
    ...{ schedule, scheduleUid, cadence, nominal },
    ...{ requestedAt, plannedAt, startedAt, finishedAt, attempt, mover, backup },
    ...{ failure, warnings, warningCount, statistics, detail, priority, waiting },
  });
}
