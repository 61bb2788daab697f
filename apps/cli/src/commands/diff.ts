import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { BACKUP_ARGUMENT } from '../backup-choice.ts';
import { browseOptions, type BrowseOptions } from '../browse/open-backup.ts';
import { subcommand, type Act } from '../command-line.ts';
import { namesFolder } from '../repository/open-by-hand.ts';
import { diffBackupsOrFolder } from './diff-contents.ts';
import { diffDefinitions } from './diff-definitions.ts';

interface DiffOptions extends BrowseOptions {
  prune?: boolean;
}

/**
 * Whether files with definitions are meant: what looks like one, or two things that are both there. Two names of which
 * one is no file are backups.
 */
function meansDefinitions([first = '', second, ...more]: readonly string[], prune: boolean): boolean {
  if (prune || second === undefined || more.length > 0) return true;
  if (first === '-' || namesFolder(first) || /\.(ya?ml|json)$/i.test(first)) return true;
  return existsSync(first) && existsSync(second) && !namesFolder(second);
}

/** `catena diff`: between two backups, a backup and a folder, or the definitions there are and those in files. */
export function addDiff(program: Command, act: Act): void {
  browseOptions(
    subcommand(
      program,
      'diff',
      'Shows what differs between two backups, or a backup and a folder; or what applying definitions would change',
      `catena diff home@2026-03-01T00:00:00Z home
catena diff home ./home-of-ada
catena diff --repository /mnt/vault --key-file vault.key 4f2a 9c01
catena diff my-backups.yaml                    # what "catena apply" would change
catena diff --prune definitions/`,
    ),
  )
    .argument(
      '<first>',
      `a backup: ${BACKUP_ARGUMENT}; or a file or folder with definitions, or - for standard input`,
    )
    .argument(
      '[more...]',
      'another backup, or a folder (with a slash: ./home); or further files with definitions',
    )
    .option('--prune', 'definitions: as apply --prune would')
    .action(
      act(async (cli, first: string, more: string[], options: DiffOptions) => {
        const places = [first, ...more];
        const [second] = more;
        if (second === undefined || meansDefinitions(places, options.prune ?? false))
          await diffDefinitions(cli, places, options.prune ?? false);
        else await diffBackupsOrFolder(cli, first, second, options);
      }),
    );
}
