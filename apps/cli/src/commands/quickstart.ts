import type { PlatformEvent } from '@catena/embedded';
import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { ExitCode } from '../exit-codes.ts';
import { startEverything } from '../platform/start-everything.ts';
import { Bank } from '../quickstart/bank/bank.ts';
import { letBankRest, showBankJob } from '../quickstart/bank/bank-job.ts';
import { startBankServer } from '../quickstart/bank/bank-server.ts';
import { howToGoOn, showMainJob } from '../quickstart/main-job.ts';
import { describePlatformEvent, untilInterrupted } from './up.ts';

/** Pause of the bank between two transfers: while it is shown, and when it is only to have something to do. */
const BUSY_MILLISECONDS = 5;
const QUIET_MILLISECONDS = 500;

/** `catena quickstart`: what `npm start` runs. */
export function addQuickstart(program: Command, act: Act): void {
  subcommand(
    program,
    'quickstart',
    'Starts the platform and shows its main job on real files and a real database',
    'catena quickstart                                   # stays up until Ctrl-C\ncatena quickstart --once --home /tmp/catena-try     # ends; 0 only if what came back is the same',
  )
    .option('--once', 'end after that, with 0 only if what was restored equals what was protected')
    .action(
      act(async (cli, options: { once?: boolean }) => {
        cli.say(`Starting the platform in ${cli.home} …`);
        const sayEvent = (event: PlatformEvent) => cli.say(`  ${describePlatformEvent(event)}`);
        const platform = await startEverything({ home: cli.home, onEvent: sayEvent });
        try {
          const client = await cli.connect();
          const files = await showMainJob(cli, client);
          const server = await startBankServer(platform, sayEvent);
          const bank = await Bank.open(server.adminUrl, BUSY_MILLISECONDS);
          try {
            const ofBank = await showBankJob(cli, client, server, bank);
            const succeeded = files.succeeded && ofBank.differences.length === 0;
            cli.answer({ ...files, succeeded, bank: ofBank });
            if (!options.once && !cli.signal.aborted) {
              bank.slowDown(QUIET_MILLISECONDS);
              cli.say(howToGoOn(cli.home, ofBank.moment));
              cli.say('\nThe platform stays up and the schedules go on. Ctrl-C stops it.');
              await untilInterrupted(cli);
            }
            await letBankRest(cli, client);
            cli.exit(succeeded ? ExitCode.done : ExitCode.runFailed);
          } finally {
            await bank.close();
          }
        } finally {
          cli.say('\nStopping …');
          await platform.stop();
          cli.say('Stopped. The data stays; the next start goes on with it.');
        }
      }),
    );
}
