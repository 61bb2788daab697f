import { schedulerRequests } from '@catena/events';
import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { kindOf } from './get.ts';

/** `catena delete`: a definition goes, what was made by it stays. */
export function addDelete(program: Command, act: Act): void {
  subcommand(
    program,
    'delete',
    'Deletes a definition; backups are never touched',
    'catena delete schedule nightly',
  )
    .argument('<kind>', 'source, repository, schedule or subscription')
    .argument('<name>', 'its name')
    .action(
      act(async (cli, word: string, name: string) => {
        const kind = kindOf(word);
        const client = await cli.connect();
        const result = await client.ask(schedulerRequests.deleteDefinition, { ...cli.command(), kind, name });
        cli.answer(result);
        cli.say(
          result.deleted ? `${kind} ${name} is deleted. Its backups stay.` : `There was no ${kind} ${name}.`,
        );
      }),
    );
}
