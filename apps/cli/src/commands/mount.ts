import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { BACKUP_ARGUMENT } from '../backup-choice.ts';
import { BackupOpener, browseOptions, type BrowseOptions } from '../browse/open-backup.ts';
import { subcommand, type Act } from '../command-line.ts';
import { ExitCode } from '../exit-codes.ts';
import { NotPossibleError } from '../invocation.ts';
import { RcloneMount } from '../serve/rclone-mount.ts';
import { Serving } from '../serve/start-serving.ts';

function emptyFolder(folder: string): string {
  const target = path.resolve(folder);
  if (statSync(target, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new NotPossibleError(`${target} is no folder.`, `Make it first: mkdir ${target}`);
  return target;
}

/** `catena mount`: backups as a folder, through rclone. */
export function addMount(program: Command, act: Act): void {
  browseOptions(
    subcommand(
      program,
      'mount',
      'Shows backups as a folder, to read and nothing else (needs rclone and FUSE)',
      `catena mount home /mnt/backups         # a folder for each backup of home, and "latest"
catena mount latest /mnt/backups --repository /mnt/vault --key-file vault.key`,
    ),
  )
    .argument('<backup>', `${BACKUP_ARGUMENT}; of a source all backups`)
    .argument('<folder>', 'an empty folder that is there')
    .action(
      act(async (cli, backup: string, folder: string, options: BrowseOptions) => {
        const target = emptyFolder(folder);
        await using opener = new BackupOpener(cli, options);
        // Nobody but the mount itself can read from it.
        const password = randomBytes(24).toString('base64url');
        const serving = await Serving.start(cli, opener, backup, {
          ...options,
          password,
          host: '127.0.0.1',
          port: 0,
        });
        try {
          const mount = await RcloneMount.start(serving.url, password, target);
          try {
            cli.answer({ folder: target });
            cli.say(`Backups are in ${target}. Ctrl-C, or "umount ${target}", ends it.`);
            await mount.untilGone(cli.signal);
          } finally {
            await mount.end();
          }
        } finally {
          await serving.stop();
        }
        cli.exit(ExitCode.done);
      }),
    );
}
