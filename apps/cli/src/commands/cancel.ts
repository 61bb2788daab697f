import { catalogRequests } from '@catena/events';
import type { CatenaClient } from '@catena/client';
import { askCurrent } from '../ask-current.ts';
import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { describeOutcome } from '../follow.ts';

/** The id that begins so; the text itself when the catalog knows none, for a run of a moment ago. */
async function wholeRunId(client: CatenaClient, beginning: string): Promise<string> {
  const [found] = (await askCurrent(client, catalogRequests.listRuns, { run: beginning, limit: 1 })).items;
  return found?.run ?? beginning;
}

/** `catena cancel`: stops a run; nothing half-made counts. */
export function addCancel(program: Command, act: Act): void {
  subcommand(
    program,
    'cancel',
    'Stops a run that is not over; nothing half-made counts',
    'catena cancel run-7k2m --reason "wrong folder"',
  )
    .argument('<run>', 'its id; the beginning is enough')
    .option('--reason <text>', 'a note that its history shows')
    .option('--no-wait', 'do not wait until it has stopped')
    .action(
      act(async (cli, beginning: string, options: { reason?: string; wait: boolean }) => {
        const client = await cli.connect();
        const run = await wholeRunId(client, beginning);
        const result = await client.ask(catalogRequests.cancelRun, {
          ...cli.command(),
          run,
          reason: options.reason,
        });
        client.nudgeCancel(run);
        if (!options.wait || !result.changed) {
          cli.answer(result);
          cli.say(result.changed ? `Asked for ${run} to stop.` : `${run} is over already.`);
          return;
        }
        const outcome = await client.followRun(run, { signal: cli.signal });
        cli.answer({ run, state: outcome.state });
        cli.say(`${run}: ${describeOutcome(outcome)}`);
      }),
    );
}
