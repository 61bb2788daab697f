import {
  catalogRequests,
  runState,
  waitingText,
  type AnyRecordedEvent,
  type RunState,
  type RunView,
} from '@catena/events';
import { outcomeOf } from '@catena/client';
import { Option, type Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { askCurrent } from '../ask-current.ts';
import { describeOutcome, describeStep } from '../follow.ts';
import { NotPossibleError, type Invocation } from '../invocation.ts';
import { mustBeKnown } from '../known-names.ts';
import { listOptions, MOST_ON_A_PAGE, type ListOptions } from '../list-options.ts';
import { gather } from '../pages.ts';
import { formatDuration, formatInstant } from '../presentation/quantities.ts';
import { listing } from '../presentation/table.ts';

function duration(from: string | undefined, to: string | undefined): string {
  return from && to ? formatDuration(Date.parse(to) - Date.parse(from)) : '-';
}

function runTable(runs: readonly RunView[]): string {
  return listing(
    'There are no runs.',
    ['RUN', 'KIND', 'OF', 'SCHEDULE', 'STATE', 'REQUESTED', 'TOOK', 'NOTE'],
    runs.map((item) => [
      item.run,
      item.kind,
      item.source ?? item.repository,
      item.schedule ?? '-',
      item.state,
      formatInstant(item.requestedAt),
      duration(item.requestedAt, item.finishedAt),
      noteOf(item),
    ]),
  );
}

function noteOf({ failure, waiting, state, backup }: RunView): string {
  if (failure) return failure.message;
  if (waiting && state === 'requested') return waitingText(waiting);
  return state === 'planned' ? 'waits for a mover' : (backup ?? '');
}

function sayOneRun(cli: Invocation, run: RunView, history: readonly AnyRecordedEvent[]): void {
  cli.answer({ run, history });
  cli.say(`${run.run}  ${run.kind} of ${run.source ?? run.repository}: ${run.state}`);
  for (const event of history) {
    const said = describeStep(event) ?? describeEnd(event, run);
    cli.say(
      `  ${formatInstant(event.time)}  ${event.type} by ${event.actor}${said === undefined ? '' : `: ${said}`}`,
    );
  }
  for (const warning of run.warnings) cli.say(`  warning ${warning.code}: ${warning.message}`);
  if (run.warningCount > run.warnings.length)
    cli.say(`  … and ${run.warningCount - run.warnings.length} warnings more`);
  if (run.failure && !history.some(({ type }) => type === 'run.failed' || type === 'run.refused'))
    cli.say(
      `  ${run.failure.code}: ${run.failure.message}${run.failure.remedy ? `\n  ${run.failure.remedy}` : ''}`,
    );
}

function describeEnd(event: AnyRecordedEvent, { kind }: RunView): string | undefined {
  const outcome = outcomeOf(event);
  return outcome && describeOutcome(outcome, kind);
}

/** `catena runs`: what was done, by whom, how it went. */
export function addRuns(program: Command, act: Act): void {
  listOptions(
    subcommand(
      program,
      'runs',
      'Lists runs, newest first, or shows one with its history',
      'catena runs --active\ncatena runs --source home --state failed\ncatena runs run-7k2m                     # the beginning of an id is enough',
    ),
  )
    .argument('[run]', 'one run: its history and warnings')
    .option('--schedule <name>', 'only of this schedule')
    .option('--active', 'only those that are not over')
    .addOption(new Option('--state <state>', 'only those in this state').choices(runState.options))
    .action(
      act(
        async (
          cli,
          run: string | undefined,
          { limit, ...filter }: ListOptions & { schedule?: string; active?: boolean; state?: RunState },
        ) => {
          const client = await cli.connect();
          const page = await gather(
            (after) =>
              askCurrent(client, catalogRequests.listRuns, {
                ...filter,
                run,
                after,
                limit: Math.min(limit, MOST_ON_A_PAGE),
              }),
            limit,
          );
          if (run === undefined) {
            await mustBeKnown(client, page.items, filter);
            cli.answer(page);
            cli.say(runTable(page.items));
            return;
          }
          const [found] = page.items;
          if (!found)
            throw new NotPossibleError(`There is no run "${run}".`, 'List them with "catena runs".');
          const history: AnyRecordedEvent[] = [];
          for await (const event of client.log.read({ aggregate: { type: 'run', id: found.run } }))
            history.push(event);
          sayOneRun(cli, found, history);
        },
      ),
    );
}
