import { schedulerRequests, type ScheduleDecisionView, type ScheduleStatusView } from '@catena/events';
import type { CatenaClient } from '@catena/client';
import { stringify } from 'yaml';
import type { z } from 'zod';
import type { Invocation } from '../invocation.ts';
import { gather } from '../pages.ts';
import { formatInstant } from '../presentation/quantities.ts';
import { formatTable } from '../presentation/table.ts';

type Description = z.output<typeof schedulerRequests.describeSchedule.output>;

/** How schedules stand, as their scheduler sees it. */
export async function scheduleStatuses(
  client: CatenaClient,
  name: string | undefined,
): Promise<ScheduleStatusView[]> {
  return (
    await gather((after) => client.ask(schedulerRequests.listScheduleStatus, { name, after, limit: 1000 }))
  ).items;
}

/** `catena get schedules`, in the columns that people know from SHOW SCHEDULES. */
export function statusTable(items: readonly ScheduleStatusView[]): string {
  return formatTable(
    ['ID', 'NAME', 'STATUS', 'FIRST RUN', 'NEXT RUN', 'CADENCE', 'LAST OUTCOME', 'RUNNING', 'STATE'],
    items.map((item) => [
      item.id,
      item.name,
      item.status,
      formatInstant(item.firstRun),
      formatInstant(item.nextRun),
      cadenceText(item),
      item.lastOutcome?.outcome ?? '-',
      String(item.running.length),
      item.state,
    ]),
  );
}

/** `catena describe schedule`: the definition that makes it again, its next times, its last decisions and their reasons. */
export function sayDescription(cli: Invocation, name: string, answer: Description): void {
  const { status, spec, labels, generation, next, last } = answer;
  const state = status.state === '' ? '' : `: ${status.state}`;
  cli.say(`Schedule ${name}  (id ${status.id}, generation ${generation})`);
  cli.say(`status: ${status.status}${state}`);
  cli.say(`running: ${status.running.length === 0 ? 'nothing' : status.running.join(', ')}`);
  if (status.lastOutcome) {
    const { run, outcome, at } = status.lastOutcome;
    cli.say(`last outcome: ${outcome} (${run}, ${formatInstant(at)})`);
  }
  const document = { apiVersion: 'catena/v1', kind: 'Schedule', metadata: { name, labels }, spec };
  cli.say(`\nDefinition, to be applied again:\n${stringify(document).trimEnd()}`);
  cli.say(`\nNext times${status.status === 'paused' ? ', once it is resumed' : ''}:`);
  cli.say(
    formatTable(
      ['CADENCE', 'AT (UTC)', 'LOCAL', 'NOTE'],
      next.map(({ cadence, at, local, note }) => [cadence, at, local, note]),
    ),
  );
  cli.say('\nLast decisions:');
  cli.say(
    formatTable(
      ['DECIDED', 'WHAT', 'CADENCE', 'FOR', 'REASON'],
      last.map((one) => [
        formatInstant(one.at),
        one.type.replace('schedule.', ''),
        one.cadence ?? '-',
        nominalText(one),
        reasonText(one),
      ]),
    ),
  );
}

function cadenceText({ cadences }: ScheduleStatusView): string {
  return cadences
    .map(({ cadence, rhythm, chosen }) => `${cadence} ${rhythm}${chosen ? ' (chosen)' : ''}`)
    .join(', ');
}

function nominalText({ nominal, until, count }: ScheduleDecisionView): string {
  if (nominal === undefined) return '-';
  return until === undefined ? nominal : `${nominal} to ${until} (${count})`;
}

function reasonText({ reason, by, run, actor }: ScheduleDecisionView): string {
  const parts = [
    reason,
    by === undefined ? undefined : `by ${by}`,
    run,
    reason === undefined ? actor : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(' ');
}
