import { catalogRequests } from '@catena/events';
import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { describeOutcome } from '../follow.ts';

/** `catena cancel`: stops a run; nothing half-made counts. */
export function addCancel(program: Command, act: Act): void {
  subcommand(program, 'cancel', 'Stops a run that is not over')
    .argument('<run>')
    .option('--reason <text>')
    .option('--no-wait', 'do not wait until it has stopped')
    .action(
      act(async (cli, run: string, options: { reason?: string; wait: boolean }) => {
        const client = await cli.connect();
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
