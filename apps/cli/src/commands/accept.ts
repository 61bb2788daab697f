import { catalogRequests } from '@catena/events';
import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';

/** `catena accept`: a source whose file system or cluster was replaced goes on with a new chain. */
export function addAccept(program: Command, act: Act): void {
  subcommand(
    program,
    'accept',
    'Says that what is at the address of a source now goes on with a new chain',
    "catena accept home --repository vault --family 'uuid:36eeceb3:/home'   # as the refusal names it",
  )
    .argument('<source>', 'its name')
    .requiredOption('--repository <name>', 'the repository with its chains')
    .requiredOption('--family <family>', 'what it is now, as the refused backup named it')
    .action(
      act(async (cli, source: string, { repository, family }: { repository: string; family: string }) => {
        const client = await cli.connect();
        const input = { ...cli.command(), source, repository, family };
        const result = await client.ask(catalogRequests.acceptFamily, input);
        cli.answer(result);
        cli.say(
          result.changed
            ? `${source} in ${repository} is ${family} from now on; its next backup is a full. The backups of before stay.`
            : `${source} in ${repository} is ${family} already.`,
        );
      }),
    );
}
