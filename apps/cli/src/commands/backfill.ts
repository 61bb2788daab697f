import { cadence as cadenceWord, schedulerRequests, type Cadence } from '@catena/events';
import { Option, type Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { UsageError } from '../invocation.ts';
import { formatTable } from '../presentation/table.ts';

interface BackfillOptions {
  from: string;
  until?: string;
  cadence?: Cadence;
  dryRun: boolean;
}

/** `catena backfill`: makes up for past times of a schedule. */
export function addBackfill(program: Command, act: Act): void {
  subcommand(
    program,
    'backfill',
    'Makes up for past times of a schedule',
    'catena backfill nightly --from 2026-03-01T00:00:00Z --dry-run\ncatena backfill nightly --from 2026-03-01T00:00:00Z --until 2026-03-08T00:00:00Z --cadence full',
  )
    .argument('<schedule>')
    .requiredOption('--from <time>', 'times after this instant')
    .option('--until <time>', 'times up to this instant (default: now)')
    .addOption(new Option('--cadence <cadence>', 'only this one').choices(cadenceWord.options))
    .option('--dry-run', 'only say what it would do', false)
    .action(
      act(async (cli, schedule: string, options: BackfillOptions) => {
        const from = instantOf(options.from);
        const { cadence, dryRun, until } = options;
        const to = until === undefined ? new Date(Date.now() - 1).toISOString() : instantOf(until);
        const client = await cli.connect();
        const answer = await client.ask(schedulerRequests.backfillSchedule, {
          ...cli.command(),
          schedule,
          from,
          to,
          cadence,
          dryRun,
        });
        cli.answer(answer);
        cli.say(
          formatTable(
            ['CADENCE', 'NOMINAL', 'ACTION', 'RUN'],
            answer.rows.map((row) => [row.cadence, row.nominal, row.action, row.run ?? '-']),
          ),
        );
        const runs = answer.runs.length === 1 ? '1 run' : `${answer.runs.length} runs`;
        cli.say(`${answer.count} times, ${runs}${dryRun ? ' would be made' : ''}.`);
      }),
    );
}

function instantOf(text: string): string {
  const at = Date.parse(text);
  if (Number.isNaN(at) || !/(Z|[+-]\d\d:\d\d)$/.test(text)) {
    throw new UsageError(`"${text}" is not an instant.`, 'Write it with its zone: 2026-03-30T01:30:00Z.');
  }
  return new Date(at).toISOString();
}
