import { catalogRequests } from '@catena/events';
import type { CatenaClient } from '@catena/client';
import type { Command } from 'commander';
import { askCurrent } from '../ask-current.ts';
import { subcommand, type Act } from '../command-line.ts';
import { NotPossibleError } from '../invocation.ts';

/** The backup whose id begins so. @throws NotPossibleError when there is none */
async function wholeBackupId(client: CatenaClient, beginning: string): Promise<string> {
  const question = { backup: beginning, limit: 1 };
  const [found] = (await askCurrent(client, catalogRequests.listBackups, question)).items;
  if (found !== undefined) return found.backup;
  throw new NotPossibleError(
    `No backup has an id that begins with "${beginning}".`,
    'catena backups lists them.',
  );
}

/** `catena keep | unkeep`: a person decides about one backup, whatever its policy says. */
export function addKeep(program: Command, act: Act): void {
  subcommand(
    program,
    'keep',
    'Pins a backup: no policy lets it go; takes an expiry back, within its grace',
    'catena keep bkp-7k2m --reason "before the migration"',
  )
    .argument('<backup>', 'its id; the beginning is enough')
    .option('--reason <text>', 'a note that its history shows')
    .action(
      act(async (cli, beginning: string, { reason }: { reason?: string }) => {
        const client = await cli.connect();
        const backup = await wholeBackupId(client, beginning);
        const kept = await client.ask(catalogRequests.keepBackup, { ...cli.command(), backup, reason });
        cli.answer({ backup, ...kept });
        if (!kept.changed) cli.say(`${backup} was pinned already.`);
        else if (kept.undone) cli.say(`${backup} is a restore point again, and pinned.`);
        else cli.say(`${backup} is pinned: no policy lets it go.`);
      }),
    );

  subcommand(program, 'unkeep', 'Unpins a backup: the policy decides again', 'catena unkeep bkp-7k2m')
    .argument('<backup>', 'its id; the beginning is enough')
    .action(
      act(async (cli, beginning: string) => {
        const client = await cli.connect();
        const backup = await wholeBackupId(client, beginning);
        const result = await client.ask(catalogRequests.unkeepBackup, { ...cli.command(), backup });
        cli.answer({ backup, ...result });
        cli.say(
          result.changed
            ? `${backup} is not pinned any more; the policy decides after the next run.`
            : `${backup} was not pinned.`,
        );
      }),
    );
}
