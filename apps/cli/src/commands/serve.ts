import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { BACKUP_ARGUMENT } from '../backup-choice.ts';
import { BackupOpener, browseOptions, type BrowseOptions } from '../browse/open-backup.ts';
import { subcommand, wholeNumber, type Act } from '../command-line.ts';
import { ExitCode } from '../exit-codes.ts';
import { UsageError, type Invocation } from '../invocation.ts';
import { Serving } from '../serve/start-serving.ts';

interface ServeOptions extends BrowseOptions {
  port: number;
  host: string;
  passwordFile?: string;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1', '[::1]']);

async function passwordIn(file: string): Promise<string> {
  const password = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  if (password === '') throw new UsageError(`${file} is empty.`, 'Write a password into it.');
  return password;
}

async function serve(cli: Invocation, reference: string | undefined, options: ServeOptions): Promise<void> {
  const isLocal = LOOPBACK.has(options.host);
  const { passwordFile } = options;
  if (!isLocal && passwordFile === undefined)
    throw new UsageError(
      `On ${options.host} everybody who reaches it could read the backups.`,
      'Give a password with --password-file, or leave --host out.',
    );
  const password = passwordFile === undefined ? undefined : await passwordIn(passwordFile);
  await using opener = new BackupOpener(cli, options);
  const serving = await Serving.start(cli, opener, reference, {
    ...options,
    ...(password === undefined ? {} : { password }),
    ...(isLocal ? { hosts: LOOPBACK } : {}),
  });
  cli.answer({ url: serving.url });
  cli.say(`Backups can be read at ${serving.url} by browsers and as a WebDAV drive. Ctrl-C ends it.`);
  if (password === undefined)
    cli.say('Everybody on this machine can read them meanwhile (--password-file keeps others out).');
  if (!cli.signal.aborted) await once(cli.signal, 'abort');
  await serving.stop();
  cli.exit(ExitCode.done);
}

/** `catena serve`: backups as a drive that can be read. */
export function addServe(program: Command, act: Act): void {
  browseOptions(
    subcommand(
      program,
      'serve',
      'Offers backups as a drive (WebDAV) and to browsers, to read and nothing else',
      `catena serve home                      # a folder for each backup of home, and "latest"
catena serve home@2026-03-01T18:00:00Z --port 8420
catena serve --repository /mnt/vault --key-file vault.key`,
    ),
  )
    .argument('[backup]', `${BACKUP_ARGUMENT}; of a source all backups, without it those of all sources`)
    .option('--port <n>', 'where to listen; 0 for any that is free', wholeNumber(0, 65_535), 0)
    .option(
      '--host <address>',
      'the address to listen on; others than this machine need a password',
      '127.0.0.1',
    )
    .option('--password-file <file>', 'a file with the password that clients must give, with any user name')
    .action(
      act(async (cli, backup: string | undefined, options: ServeOptions) => {
        await serve(cli, backup, options);
      }),
    );
}
