import { catalogRequests } from '@catena/events';
import type { Command } from 'commander';
import { subcommand, wholeNumber, type Act } from '../command-line.ts';
import { describeStep } from '../follow.ts';
import { UsageError } from '../invocation.ts';
import { gather } from '../pages.ts';
import { drawChains } from '../presentation/chain-drawing.ts';
import { formatBytes, formatDuration, formatInstant } from '../presentation/quantities.ts';
import { formatTable } from '../presentation/table.ts';

interface ListOptions {
  source?: string;
  repository?: string;
  asOf?: string;
  limit: number;
}

function listOptions(command: Command): Command {
  return command
    .option('--source <name>')
    .option('--repository <name>')
    .option('--as-of <time>', 'as the catalog stood then')
    .option('--limit <n>', 'at most so many', wholeNumber(1, 100_000), 100);
}

function duration(from: string | undefined, to: string | undefined): string {
  return from && to ? formatDuration(Date.parse(to) - Date.parse(from)) : '-';
}

/** `catena backups | chains | restore-points | runs`: what the catalog knows. */
export function addLists(program: Command, act: Act): void {
  listOptions(
    subcommand(
      program,
      'backups',
      'Lists backups, newest first',
      'catena backups --source home\ncatena backups --as-of 2026-03-01T00:00:00Z',
    ),
  ).action(
    act(async (cli, { limit, ...filter }: ListOptions) => {
      const client = await cli.connect();
      const page = await gather(
        (after) =>
          client.ask(catalogRequests.listBackups, { ...filter, after, limit: Math.min(limit, 1000) }),
        limit,
      );
      cli.answer(page);
      cli.say(
        formatTable(
          ['BACKUP', 'SOURCE', 'REPOSITORY', 'TYPE', 'AS OF', 'FILES', 'SIZE', 'ADDED', 'STATE'],
          page.items.map((item) => [
            item.backup,
            item.source,
            item.repository,
            item.copyOnly ? `${item.type} copy-only` : item.type,
            formatInstant(item.asOf),
            String(item.files),
            formatBytes(item.bytes),
            formatBytes(item.bytesAdded),
            item.warningCount > 0 ? `${item.state}, ${item.warningCount} warnings` : item.state,
          ]),
        ),
      );
      if (page.stale) cli.remark(`The catalog is behind: ${page.stale}`);
    }),
  );

  listOptions(
    subcommand(program, 'chains', 'Draws the chains: fulls, their dependents, copy-only apart'),
  ).action(
    act(async (cli, { limit, ...filter }: ListOptions) => {
      const client = await cli.connect();
      const page = await gather(
        (after) => client.ask(catalogRequests.listChains, { ...filter, after, limit: Math.min(limit, 1000) }),
        limit,
      );
      cli.answer(page);
      cli.say(page.items.length === 0 ? 'There are no chains yet.' : drawChains(page.items));
      if (page.stale) cli.remark(`The catalog is behind: ${page.stale}`);
    }),
  );

  listOptions(
    subcommand(program, 'restore-points', 'Lists the times that a restore can reach, newest first'),
  ).action(
    act(async (cli, { limit, ...filter }: ListOptions) => {
      const client = await cli.connect();
      const page = await gather(
        (after) =>
          client.ask(catalogRequests.listRestorePoints, { ...filter, after, limit: Math.min(limit, 1000) }),
        limit,
      );
      cli.answer(page);
      cli.say(
        formatTable(
          ['TIME', 'SOURCE', 'REPOSITORY', 'BACKUP', 'TYPE'],
          page.items.map((item) => [
            formatInstant(item.at),
            item.source,
            item.repository,
            item.backup,
            item.copyOnly ? `${item.type} copy-only` : item.type,
          ]),
        ),
      );
    }),
  );

  listOptions(
    subcommand(
      program,
      'runs',
      'Lists runs, newest first, or shows one with its history',
      'catena runs --active\ncatena runs run-7k2m…',
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
              client.ask(catalogRequests.listRuns, { ...filter, run, after, limit: Math.min(limit, 1000) }),
            limit,
          );
          if (run === undefined) {
            cli.answer(page);
            cli.say(
              formatTable(
                ['RUN', 'KIND', 'OF', 'SCHEDULE', 'STATE', 'REQUESTED', 'TOOK', 'NOTE'],
                page.items.map((item) => [
                  item.run,
                  item.kind,
                  item.source ?? item.repository,
                  item.schedule ?? '-',
                  item.state,
                  formatInstant(item.requestedAt),
                  duration(item.requestedAt, item.finishedAt),
                  item.failure ? item.failure.message : (item.backup ?? ''),
                ]),
              ),
            );
            return;
          }
          const [found] = page.items;
          if (!found) throw new UsageError(`There is no run "${run}".`, 'List them with "catena runs".');
          const history = [];
          for await (const event of client.log.read({ aggregate: { type: 'run', id: found.run } }))
            history.push(event);
          cli.answer({ run: found, history });
          cli.say(`${found.run}  ${found.kind} of ${found.source ?? found.repository}: ${found.state}`);
          for (const event of history)
            cli.say(
              `  ${formatInstant(event.time)}  ${event.type}  ${describeStep(event) ?? ''}  by ${event.actor}`,
            );
          for (const warning of found.warnings)
            cli.say(`  warning ${warning.code} ${warning.path ?? ''}: ${warning.message}`);
          if (found.failure)
            cli.say(
              `  ${found.failure.code}: ${found.failure.message}${found.failure.remedy ? `\n  ${found.failure.remedy}` : ''}`,
            );
        },
      ),
    );
}
