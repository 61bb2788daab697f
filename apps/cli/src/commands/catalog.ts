import { catalogRequests, schedulerRequests } from '@catena/events';
import type { Command } from 'commander';
import { commandGroup, subcommand, type Act } from '../command-line.ts';
import { followToTheEnd } from '../follow.ts';
import type { Invocation } from '../invocation.ts';
import { formatDuration, plural } from '../presentation/quantities.ts';

/** What a rescan's detail says, in words. */
function sayFound(cli: Invocation, detail: Readonly<Record<string, unknown>>): void {
  const {
    found = 0,
    adopted = 0,
    condemned = [],
    lacking = [],
  } = detail as {
    found?: number;
    adopted?: number;
    condemned?: string[];
    lacking?: string[];
  };
  cli.say(`  ${plural(found, 'backup')} in the repository, ${adopted} of them new to the catalog`);
  for (const backup of condemned) cli.say(`  ${backup} is condemned and stays so`);
  for (const backup of lacking) cli.say(`  ${backup} is in the catalog, but NOT in the repository`);
}

/** `catena catalog rebuild | rescan`: the read models from the log, the log from a repository. */
export function addCatalog(program: Command, act: Act): void {
  const catalog = commandGroup(
    program,
    'catalog',
    'Builds the catalog again from the log, or reads a repository into it',
    'catena catalog rebuild\ncatena catalog rescan vault',
  );

  subcommand(
    catalog,
    'rebuild',
    'Builds the read models again from the log, beside the live ones, and swaps',
    'catena catalog rebuild',
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
    .argument('<repository>', 'its name')
    .option('--no-wait', 'only ask for it')
    .action(
      act(async (cli, repository: string, options: { wait: boolean }) => {
        const client = await cli.connect();
        const accepted = await client.ask(schedulerRequests.requestRescan, { ...cli.command(), repository });
        if (options.wait) {
          const outcome = await followToTheEnd(cli, client, accepted.run);
          if (outcome.event.type === 'run.completed') sayFound(cli, outcome.event.data.detail ?? {});
        } else {
          cli.answer(accepted);
          cli.say(accepted.run);
        }
      }),
    );
}
