import { catalogRequests, type AnyRecordedEvent, type RunView } from '@catena/events';
import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { describeStep } from '../follow.ts';
import { UsageError, type Invocation } from '../invocation.ts';
import { listOptions, MOST_ON_A_PAGE, type ListOptions } from '../list-options.ts';
import { gather } from '../pages.ts';
import { formatDuration, formatInstant } from '../presentation/quantities.ts';
import { formatTable } from '../presentation/table.ts';

function duration(from: string | undefined, to: string | undefined): string {
  return from && to ? formatDuration(Date.parse(to) - Date.parse(from)) : '-';
}

function runTable(runs: readonly RunView[]): string {
  return formatTable(
    ['RUN', 'KIND', 'OF', 'SCHEDULE', 'STATE', 'REQUESTED', 'TOOK', 'NOTE'],
    runs.map((item) => [
      item.run,
      item.kind,
      item.source ?? item.repository,
      item.schedule ?? '-',
      item.state,
      formatInstant(item.requestedAt),
      duration(item.requestedAt, item.finishedAt),
      item.failure ? item.failure.message : (item.backup ?? ''),
    ]),
  );
}

function sayOneRun(cli: Invocation, run: RunView, history: readonly AnyRecordedEvent[]): void {
  cli.answer({ run, history });
  cli.say(`${run.run}  ${run.kind} of ${run.source ?? run.repository}: ${run.state}`);
  for (const event of history) {
    cli.say(`  ${formatInstant(event.time)}  ${event.type}  ${describeStep(event) ?? ''}  by ${event.actor}`);
  }
  for (const warning of run.warnings)
    cli.say(`  warning ${warning.code} ${warning.path ?? ''}: ${warning.message}`);
  if (run.failure)
    cli.say(
      `  ${run.failure.code}: ${run.failure.message}${run.failure.remedy ? `\n  ${run.failure.remedy}` : ''}`,
    );
}

/** `catena runs`: what was done, by whom, how it went. */
export function addRuns(program: Command, act: Act): void {
  listOptions(
    subcommand(
      program,
      'runs',
      'Lists runs, newest first, or shows one with its history',
      'catena runs --active\ncatena runs run-7k2m',
    ),
  )
    .argument('[run]', 'one run: its history and warnings')
    .option('--schedule <name>')
    .option('--active', 'only those that are not over')
    .action(
      act(
        async (
          cli,
          run: string | undefined,
          { limit, ...filter }: ListOptions & { schedule?: string; active?: boolean },
        ) => {
          const client = await cli.connect();
          const page = await gather(
            (after) =>
              client.ask(catalogRequests.listRuns, {
                ...filter,
                run,
                after,
                limit: Math.min(limit, MOST_ON_A_PAGE),
              }),
            limit,
          );
          if (run === undefined) {
            cli.answer(page);
            cli.say(runTable(page.items));
            return;
          }
          const [found] = page.items;
          if (!found) throw new UsageError(`There is no run "${run}".`, 'List them with "catena runs".');
          const history: AnyRecordedEvent[] = [];
          for await (const event of client.log.read({ aggregate: { type: 'run', id: found.run } }))
            history.push(event);
          sayOneRun(cli, found, history);
        },
      ),
    );
}
