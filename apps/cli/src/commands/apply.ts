import { schedulerRequests } from '@catena/events';
import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { folderToPrune, readDefinitionFiles } from '../definition-files.ts';

/** `catena apply`: definitions from files, whole or not at all. */
export function addApply(program: Command, act: Act): void {
  subcommand(
    program,
    'apply',
    'Applies definitions; a file with anything wrong is refused whole',
    'catena apply my-backups.yaml\ncatena apply definitions/            # every YAML file of a folder\ncatena apply --prune definitions/    # and delete what the folder no longer has\ncatena apply --dry-run - < my-backups.yaml',
  )
    .argument('<files...>', 'files, folders, or - for standard input')
    .option('--dry-run', 'only check and say what would change')
    .option('--prune', 'delete what was applied with --prune from this folder before and is gone from it')
    .action(
      act(async (cli, places: string[], options: { dryRun?: boolean; prune?: boolean }) => {
        const prune = options.prune ? await folderToPrune(places) : undefined;
        const files = await readDefinitionFiles(places, cli.home);
        const client = await cli.connect();
        const result = await client.ask(schedulerRequests.applyDefinitions, {
          ...cli.command(),
          files,
          dryRun: options.dryRun ?? false,
          prune,
        });
        cli.answer(result);
        for (const warning of result.warnings ?? []) cli.remark(`warning: ${warning}`);
        for (const { kind, name, action } of result.results)
          cli.say(
            `${kind} ${name}: ${options.dryRun && action !== 'unchanged' ? `would be ${action}` : action}`,
          );
      }),
    );
}
