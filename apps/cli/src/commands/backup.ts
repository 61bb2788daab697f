import { backupType, schedulerRequests, type BackupType } from '@catena/events';
import { Option, type Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { followToTheEnd } from '../follow.ts';

/** `catena backup`: one backup by hand. */
export function addBackup(program: Command, act: Act): void {
  subcommand(
    program,
    'backup',
    'Takes one backup of a source and waits for the end',
    'catena backup home --type incremental\ncatena backup home --copy-only      # a full that changes nothing of the chain',
  )
    .argument('<source>', 'its name')
    .addOption(
      new Option('--type <type>', 'what to take')
        .choices(backupType.options.filter((type) => type !== 'log'))
        .default('full'),
    )
    .option('--copy-only', 'apart from the chain: never a base or a parent')
    .option('--repository <name>', 'where to (needed when several schedules name the source)')
    .option('--strict', 'fail instead of taking a full when there is no usable full')
    .option('--no-wait', 'only ask for it')
    .action(
      act(
        async (
          cli,
          source: string,
          options: {
            type: BackupType;
            copyOnly?: boolean;
            repository?: string;
            strict?: boolean;
            wait: boolean;
          },
        ) => {
          const client = await cli.connect();
          const accepted = await client.ask(schedulerRequests.requestBackup, {
            ...cli.command(),
            source,
            repository: options.repository,
            type: options.type,
            copyOnly: options.copyOnly ?? false,
            whenNoFull: options.strict ? 'fail' : 'full',
          });
          if (options.wait) await followToTheEnd(cli, client, accepted.run);
          else {
            cli.answer(accepted);
            cli.say(accepted.run);
          }
        },
      ),
    );
}
