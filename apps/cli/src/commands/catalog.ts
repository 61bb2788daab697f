import { catalogRequests, schedulerRequests } from '@catena/events';
import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { followToTheEnd } from '../follow.ts';
import { formatDuration } from '../presentation/quantities.ts';

/** `catena catalog rebuild | rescan`: the read models from the log, the log from a repository. */
export function addCatalog(program: Command, act: Act): void {
  const catalog = program
    .command('catalog')
    .summary('Rebuilds what the catalog knows')
    .description('Rebuilds what the catalog knows');

  subcommand(
    catalog,
    'rebuild',
    'Builds the read models again from the log, beside the live ones, and swaps',
  ).action(
    act(async (cli) => {
      const client = await cli.connect();
      const result = await client.ask(catalogRequests.rebuildCatalog, cli.command(), {
        timeoutMilliseconds: 3_600_000,
        signal: cli.signal,
      });
      cli.answer(result);
      cli.say(
        `Rebuilt from ${result.events} events in ${formatDuration(result.milliseconds)}; live copy: ${result.generation}.`,
      );
    }),
  );

  subcommand(
    catalog,
    'rescan',
    'Reads the backups of a repository into the log',
    'catena catalog rescan vault',
  )
    .argument('<repository>')
    .option('--no-wait', 'only ask for it')
    .action(
      act(async (cli, repository: string, options: { wait: boolean }) => {
        const client = await cli.connect();
        const accepted = await client.ask(schedulerRequests.requestRescan, { ...cli.command(), repository });
        if (options.wait) {
          const outcome = await followToTheEnd(cli, client, accepted.run);
          if ('detail' in outcome.event.data && outcome.event.data.detail)
            cli.say(`  ${JSON.stringify(outcome.event.data.detail)}`);
        } else {
          cli.answer(accepted);
          cli.say(accepted.run);
        }
      }),
    );
}
