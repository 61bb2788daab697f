import type { Command } from 'commander';
import { BACKUP_ARGUMENT } from '../backup-choice.ts';
import { listed } from '../browse/entry-paths.ts';
import { entryFields, longLine, shownPath } from '../browse/entry-text.ts';
import { BackupOpener, browseOptions, type BrowseOptions } from '../browse/open-backup.ts';
import { Output } from '../browse/output.ts';
import { subcommand, type Act } from '../command-line.ts';

interface LsOptions extends BrowseOptions {
  long?: boolean;
  recursive?: boolean;
  directory?: boolean;
  human?: boolean;
}

/** `catena ls`: what is in a backup. */
export function addLs(program: Command, act: Act): void {
  browseOptions(
    subcommand(
      program,
      'ls',
      'Lists what is in a backup',
      "catena ls home\ncatena ls -l home@2026-03-01T18:00:00Z documents\ncatena ls -R home 'documents/**/*.pdf'\ncatena ls --repository /mnt/vault --key-file vault.key home",
    ),
  )
    .argument('[backup]', BACKUP_ARGUMENT)
    .argument('[paths...]', 'files, folders (what is in them) or globs, from the root of the source')
    .option('-l, --long', 'permissions, owner, size and time too')
    .option('-R, --recursive', 'everything beneath a folder')
    .option('-d, --directory', 'a folder itself, not what is in it')
    .option('--human', 'with -l: sizes as 1.5 KiB')
    .action(
      act(async (cli, backup: string | undefined, paths: string[], options: LsOptions) => {
        await using opener = new BackupOpener(cli, options);
        const { reader } = await opener.open(backup);
        const out = new Output();
        const reach = { recursive: options.recursive ?? false, itself: options.directory ?? false };
        try {
          for await (const entry of listed(reader, paths, reach)) {
            if (cli.json) await out.line(JSON.stringify(entryFields(entry)));
            else await out.line(options.long ? longLine(entry, options.human ?? false) : shownPath(entry));
          }
        } finally {
          await out.flush();
        }
      }),
    );
}
