import { copyFile, chmod, constants } from 'node:fs/promises';
import { catalogRequests } from '@catena/events';
import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { UsageError } from '../invocation.ts';

/** Adds `catena key export` to the group of key commands. */
export function addKeyExport(group: Command, act: Act): void {
  subcommand(
    group,
    'export',
    'Stores a copy of a generated key elsewhere, and stops the nagging',
    'catena key export vault --to /media/usb/vault.key',
  )
    .argument('<repository>')
    .requiredOption('--to <file>', 'a file that does not exist yet, best on another device')
    .action(
      act(async (cli, repository: string, options: { to: string }) => {
        const client = await cli.connect();
        const key = (await client.ask(catalogRequests.listKeys, {})).items.findLast(
          (item) => item.repository === repository,
        );
        if (!key)
          throw new UsageError(
            `Repository "${repository}" has no generated key.`,
            'A passphrase or a key file of your own is yours to store.',
          );
        // COPYFILE_EXCL: never over another key.
        await copyFile(key.path, options.to, constants.COPYFILE_EXCL);
        await chmod(options.to, 0o600);
        const result = await client.ask(catalogRequests.keyExported, {
          ...cli.command(),
          repository,
          keyId: key.keyId,
        });
        cli.answer({ repository, keyId: key.keyId, file: options.to, ...result });
        cli.say(
          `Key ${key.keyId} of ${repository} is stored in ${options.to}. Whoever has it can read every backup there.`,
        );
      }),
    );
}
