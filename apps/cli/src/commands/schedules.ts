import { cadence as cadenceWord, schedulerRequests, type Cadence } from '@catena/events';
import { Option, type Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { followToTheEnd } from '../follow.ts';

/** `catena pause | resume | run`: what a person does to a schedule by name. */
export function addScheduleCommands(program: Command, act: Act): void {
  subcommand(
    program,
    'pause',
    'Stops a schedule from firing until it is resumed',
    'catena pause nightly --reason "moving the disks"',
  )
    .argument('<schedule>', 'its name')
    .option('--reason <text>', 'a note that get and status show')
    .action(
      act(async (cli, schedule: string, options: { reason?: string }) => {
        const client = await cli.connect();
        const result = await client.ask(schedulerRequests.pauseSchedule, {
          ...cli.command(),
          schedule,
          reason: options.reason,
        });
        cli.answer(result);
        cli.say(
          result.changed ? `Schedule ${schedule} is paused.` : `Schedule ${schedule} was paused already.`,
        );
      }),
    );

  subcommand(program, 'resume', 'Lets a paused schedule fire again', 'catena resume nightly')
    .argument('<schedule>', 'its name')
    .action(
      act(async (cli, schedule: string) => {
        const client = await cli.connect();
        const result = await client.ask(schedulerRequests.resumeSchedule, { ...cli.command(), schedule });
        cli.answer(result);
        cli.say(
          result.changed ? `Schedule ${schedule} fires again.` : `Schedule ${schedule} was not paused.`,
        );
      }),
    );

  subcommand(
    program,
    'run',
    'Runs a schedule now and waits for the end',
    'catena run nightly\ncatena run nightly --cadence full --no-wait',
  )
    .argument('<schedule>', 'its name')
    .addOption(
      new Option('--cadence <cadence>', 'which of its cadences (default: the lowest it has)').choices(
        cadenceWord.options,
      ),
    )
    .option('--no-wait', 'only ask for it')
    .action(
      act(async (cli, schedule: string, options: { cadence?: Cadence; wait: boolean }) => {
        const client = await cli.connect();
        const accepted = await client.ask(schedulerRequests.runSchedule, {
          ...cli.command(),
          schedule,
          cadence: options.cadence,
        });
        if (options.wait) await followToTheEnd(cli, client, accepted.run);
        else {
          cli.answer(accepted);
          cli.say(accepted.run);
        }
      }),
    );
}
