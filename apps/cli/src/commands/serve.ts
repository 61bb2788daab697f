import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { isIP } from 'node:net';
import { describeError } from '@catena/events';
import type { Command } from 'commander';
import { BACKUP_ARGUMENT } from '../backup-choice.ts';
import { BackupOpener, browseOptions, type BrowseOptions } from '../browse/open-backup.ts';
import { subcommand, wholeNumber, type Act } from '../command-line.ts';
import { ExitCode } from '../exit-codes.ts';
import { NotPossibleError, UsageError, type Invocation } from '../invocation.ts';
import { davServer } from '../serve/dav-server.ts';
import { ServedPlaces, type Served } from '../serve/served-place.ts';

interface ServeOptions extends BrowseOptions {
  port: number;
  host: string;
  passwordFile?: string;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1', '[::1]']);
/** How long readers may go on when it is to end. */
const PATIENCE_MILLISECONDS = 2_000;

async function listen(server: Server, { port, host }: ServeOptions): Promise<string> {
  const listening = once(server, 'listening');
  server.listen(port, host.replace(/^\[|\]$/g, ''));
  try {
    await listening;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new NotPossibleError(
      `It cannot listen on ${host}:${port} (${reason}).`,
      'Choose another with --port, or leave it out for any that is free.',
    );
  }
  const address = server.address();
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return `http://${name}:${typeof address === 'object' ? address?.port : port}/`;
}

async function untilStopped(server: Server, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const impatient = setTimeout(() => server.closeAllConnections(), PATIENCE_MILLISECONDS);
  await closed;
  clearTimeout(impatient);
}

/** All backups of a source that was named, one backup, or all of everything. */
async function servedBy(
  opener: BackupOpener,
  reference: string | undefined,
  given: BrowseOptions,
): Promise<Served> {
  const { source, isOne } = await opener.meaning(reference);
  if (isOne || given.at !== undefined)
    return { kind: 'backup', view: (await opener.choose(reference)).backup };
  return source === undefined
    ? { kind: 'sources', list: () => opener.usable() }
    : { kind: 'source', list: () => opener.usable(source) };
}

async function serve(cli: Invocation, reference: string | undefined, options: ServeOptions): Promise<void> {
  const isLocal = LOOPBACK.has(options.host);
  if (!isLocal && options.passwordFile === undefined)
    throw new UsageError(
      `On ${options.host} everybody who reaches it could read the backups.`,
      'Give a password with --password-file, or leave --host out.',
    );
  const password =
    options.passwordFile === undefined
      ? undefined
      : (await readFile(options.passwordFile, 'utf8')).replace(/\r?\n$/, '');
  if (password === '') throw new UsageError(`${options.passwordFile} is empty.`, 'Write a password into it.');
  await using opener = new BackupOpener(cli, options);
  const places = new ServedPlaces(await servedBy(opener, reference, options), (view) =>
    opener.openView(view),
  );
  const server = davServer(places, {
    ...(password === undefined ? {} : { password }),
    ...(isLocal ? { hosts: LOOPBACK } : {}),
    onError: (path, error) => cli.remark(`${path}: ${describeError(error).message}`),
  });
  const url = await listen(server, options);
  cli.answer({ url });
  cli.say(`Backups can be read at ${url} by browsers and as a WebDAV drive. Ctrl-C ends it.`);
  if (password === undefined)
    cli.say('Everybody on this machine can read them meanwhile (--password-file keeps others out).');
  await untilStopped(server, cli.signal);
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
catena serve --repository /mnt/vault --key-file vault.key
mount -t davfs http://127.0.0.1:8420/ /mnt/backups -o ro     # in another terminal`,
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
