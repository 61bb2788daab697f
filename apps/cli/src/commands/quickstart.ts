import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { ExitCode } from '../exit-codes.ts';
import { startEverything } from '../platform/start-everything.ts';
import { howToGoOn, showMainJob } from '../quickstart/main-job.ts';
import { describePlatformEvent, untilInterrupted } from './up.ts';

/** `catena quickstart`: what `npm start` runs. */
export function addQuickstart(program: Command, act: Act): void {
  subcommand(
    program,
    'quickstart',
    'Starts the platform and shows its main job on real files',
    'catena quickstart                                   # stays up until Ctrl-C\ncatena quickstart --once --home /tmp/catena-try     # ends; 0 only if what came back is the same',
  )
    .option('--once', 'end after that, with 0 only if what was restored equals what was protected')
    .action(
      act(async (cli, options: { once?: boolean }) => {
        cli.say(`Starting the platform in ${cli.home} …`);
        const platform = await startEverything({
          home: cli.home,
          onEvent: (event) => cli.say(`  ${describePlatformEvent(event)}`),
        });
        try {
          const client = await cli.connect();
          const result = await showMainJob(cli, client);
          cli.answer(result);
          if (!options.once && !cli.signal.aborted) {
            cli.say(howToGoOn(cli.home));
            cli.say('\nThe platform stays up and the schedule goes on. Ctrl-C stops it.');
            await untilInterrupted(cli);
          }
          cli.exit(result.succeeded ? ExitCode.done : ExitCode.runFailed);
        } finally {
          cli.say('\nStopping …');
          await platform.stop();
          cli.say('Stopped. The data stays; the next start goes on with it.');
        }
      }),
    );
}
