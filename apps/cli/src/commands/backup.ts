import { backupType, catalogRequests, schedulerRequests, type BackupType } from '@catena/events';
import type { CatenaClient } from '@catena/client';
import { Option, type Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { followToTheEnd } from '../follow.ts';
import { UsageError } from '../invocation.ts';
import { gather } from '../pages.ts';

/**
 * The full that a person names by its folder in the repository, such as `2026/03/01-120000.00`; anything else is an id
 * or `latest` already (rules.md 1.9).
 */
async function fullOf(client: CatenaClient, source: string, into: string): Promise<string> {
  if (!into.includes('/')) return into;
  const folder = into.replace(/^\/|\/$/g, '');
  const page = await gather((after) =>
    client.ask(catalogRequests.listBackups, { source, after, limit: 1000 }),
  );
  const full = page.items.find(
    ({ type, manifest }) => type === 'full' && manifest.name.endsWith(`/${folder}/manifest.json`),
  );
  if (!full) {
    throw new UsageError(
      `No full of ${source} lies in "${into}".`,
      'See the fulls with "catena chains"; --into also takes the id of one.',
    );
  }
  return full.backup;
}

/** `catena backup`: one backup by hand. */
export function addBackup(program: Command, act: Act): void {
  subcommand(
    program,
    'backup',
    'Takes one backup of a source and waits for the end',
    'catena backup home --type incremental\ncatena backup home --method compose # a full of its own, without reading the source\ncatena backup home --copy-only      # a full that changes nothing of the chain\ncatena backup home --type differential --into 2026/03/01-120000.00',
  )
    .argument('<source>', 'its name')
    .addOption(new Option('--type <type>', 'what to take').choices(backupType.options).default('full'))
    .addOption(
      new Option(
        '--method <method>',
        'of a full: read it from the source, or compose it from what is in the repository (the source is not touched)',
      )
        .choices(['read', 'compose'])
        .default('read'),
    )
    .option('--copy-only', 'apart from the chain: never a base or a parent')
    .option('--repository <name>', 'where to (needed when several schedules name the source)')
    .option('--into <full>', 'join the chain of this full: latest, its id, or its folder in the repository')
    .option('--strict', 'fail instead of taking a full when there is no usable full')
    .option('--no-wait', 'only ask for it')
    .action(
      act(
        async (
          cli,
          source: string,
          options: {
            type: BackupType;
            method: 'read' | 'compose';
            copyOnly?: boolean;
            repository?: string;
            into?: string;
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
            ...(options.method === 'compose' ? { method: options.method } : {}),
            copyOnly: options.copyOnly ?? false,
            whenNoFull: options.strict ? 'fail' : 'full',
            ...(options.into === undefined ? {} : { into: await fullOf(client, source, options.into) }),
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
