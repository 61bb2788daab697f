import { schedulerRequests, sweptReport, type SweptReport } from '@catena/events';
import { durationOf } from '@catena/schedule';
import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { followToTheEnd } from '../follow.ts';
import { UsageError, type Invocation } from '../invocation.ts';
import { formatBytes, plural } from '../presentation/quantities.ts';

const WHY_LEFT: Readonly<Record<SweptReport['left'][number]['standing'], string>> = {
  recent: 'its run is over, but not for long',
  open: 'its run is not over',
  unknown: 'the log does not know its run',
};

/** What a sweep found, run by run. */
function sayReport(cli: Invocation, { runs, left, unfinished }: SweptReport, dryRun: boolean): void {
  const verb = dryRun ? 'would remove' : 'removed';
  const row = ({ objects, bytes, run }: { objects: number; bytes: number; run: string }) =>
    `${plural(objects, 'object')}, ${formatBytes(bytes)}, of ${run}`;
  for (const one of runs) cli.say(`  ${verb} ${row(one)}`);
  if (unfinished.objects > 0)
    cli.say(`  ${verb} ${plural(unfinished.objects, 'unfinished object')}, ${formatBytes(unfinished.bytes)}`);
  for (const one of left) cli.say(`  left ${row(one)}: ${WHY_LEFT[one.standing]}`);
  if (runs.length + unfinished.objects + left.length === 0) cli.say('  Nothing was left behind.');
}

function graceOf(text: string | undefined): { grace?: number } {
  if (text === undefined) return {};
  const grace = durationOf(text);
  if (grace === undefined) throw new UsageError(`"${text}" is no duration.`, 'Such as 36h or 7d.');
  return { grace };
}

/** `catena sweep`: what interrupted runs have left in a repository goes. */
export function addSweep(program: Command, act: Act): void {
  subcommand(
    program,
    'sweep',
    'Removes from a repository what interrupted runs have left; never anything that a backup needs',
    'catena sweep vault --dry-run\ncatena sweep vault --grace 2h',
  )
    .argument('<repository>', 'its name')
    .option('--dry-run', 'only say what would be removed')
    .option('--grace <duration>', 'only of runs that have been over for so long (default: 1d)')
    .option('--no-wait', 'only ask for it')
    .action(
      act(async (cli, repository: string, options: { dryRun?: boolean; grace?: string; wait: boolean }) => {
        const dryRun = options.dryRun ?? false;
        const wanted = { ...cli.command(), repository, dryRun, ...graceOf(options.grace) };
        const client = await cli.connect();
        const accepted = await client.ask(schedulerRequests.requestSweep, wanted);
        if (options.wait) {
          const { event } = await followToTheEnd(cli, client, accepted.run);
          const found = event.type === 'run.completed' ? sweptReport.safeParse(event.data.detail) : undefined;
          if (found?.success === true) sayReport(cli, found.data, dryRun);
        } else {
          cli.answer(accepted);
          cli.say(accepted.run);
        }
      }),
    );
}
