import path from 'node:path';
import { readWalFileName, WalSpool, WalSpoolError } from '@catena/sources/wal-spool';
import type { Command } from 'commander';
import { commandGroup, subcommand, type Act } from '../command-line.ts';
import { ExitCode } from '../exit-codes.ts';
import { UsageError, type Invocation } from '../invocation.ts';
import type { RepositoryOptions } from '../repository/open-by-hand.ts';

const FETCH_EXAMPLE = `catena wal fetch %f %p --spool /srv/wal/bank
catena wal fetch %f %p --repository /srv/vault --key-file /etc/catena/vault.key`;

interface FetchOptions extends Pick<RepositoryOptions, 'repository' | 'keyFile' | 'passphraseFile'> {
  spool?: string;
  source?: string;
}

/** `catena wal push | fetch`: what a PostgreSQL server calls as archive_command and restore_command. */
export function addWal(program: Command, act: Act): void {
  const wal = commandGroup(
    program,
    'wal',
    'Takes the log of a PostgreSQL server, and gives it back: archive_command and restore_command',
    `catena wal push %p --spool /srv/wal/bank\n${FETCH_EXAMPLE}`,
  );

  subcommand(
    wal,
    'push',
    'Puts a file of the log, durably, into the folder that log backups take it from; needs no service',
    'catena wal push %p --spool /srv/wal/bank            # archive_command of the server',
  )
    .argument('<file>', 'what PostgreSQL calls %p')
    .requiredOption('--spool <folder>', 'the folder: `postgres.log.spool` of the Source')
    .action(
      act(async (cli, file: string, { spool }: { spool: string }) => {
        const outcome = await new WalSpool(spool).push(file);
        cli.answer({ file, outcome });
      }),
    );

  subcommand(
    wal,
    'fetch',
    'Gives a recovering server a file of the log; ends with 1 when there is none, with 255 when that cannot be said',
    'catena wal fetch %f %p --repository /srv/vault --key-file /etc/catena/vault.key    # restore_command',
  )
    .argument('<name>', 'what PostgreSQL calls %f')
    .argument('<target>', 'what PostgreSQL calls %p')
    .option('--spool <folder>', 'look into the folder that the server pushed into first')
    .option('--repository <folder>', 'the folder of the repository with the log backups')
    .option('--key-file <file>', 'the key file that opens it')
    .option('--passphrase-file <file>', 'a file that holds its passphrase')
    .option('--source <name>', 'whose log, when the repository holds that of several')
    .action(
      act(async (cli, name: string, target: string, options: FetchOptions) => {
        try {
          const found = await fetch(cli, name, target, options);
          cli.answer({ name, found });
          if (!found) cli.exit(ExitCode.notInArchive);
        } catch (error) {
          sayWhy(cli, name, error);
          cli.exit(ExitCode.recoveryMustStop);
        }
      }),
    );
}

async function fetch(cli: Invocation, name: string, target: string, options: FetchOptions): Promise<boolean> {
  const { spool, repository: folder } = options;
  if (readWalFileName(name) === undefined)
    throw new UsageError(
      `${name} is no file of a PostgreSQL log.`,
      "Use it as restore_command = 'catena wal fetch %f %p …'.",
    );
  if (spool === undefined && folder === undefined)
    throw new UsageError('Nothing says where the log is.', 'Name --spool, --repository, or both.');
  const pushed = spool === undefined ? undefined : new WalSpool(spool);
  if (pushed !== undefined && (await pushed.fetch(name, target))) return true;
  if (folder !== undefined && (await fetchFromRepository(cli, name, target, folder, options))) return true;
  const later = await pushed?.laterThan(name);
  if (later !== undefined) throw gap(name, `${later} is in ${spool}`, folder === undefined);
  return false;
}

/** A segment that is in the spool needs nothing of this. */
async function fetchFromRepository(
  cli: Invocation,
  name: string,
  target: string,
  folder: string,
  options: FetchOptions,
): Promise<boolean> {
  const { openByHand } = await import('../repository/open-by-hand.ts');
  const { fetchLogFile, collectionWithLog, LogMemory } = await import('@catena/sources');
  const { resolveCache } = await import('@catena/embedded');
  const repository = await openByHand(folder, options);
  try {
    const { source } = options;
    const collection = await collectionWithLog(repository, source);
    const cache = path.join(resolveCache(), 'wal');
    const memory = new LogMemory(cache, collection.origin, ({ message }) =>
      cli.remark(
        `catena: what log backups hold is not remembered (${message}), so each file that is not there takes long to look for. Set CATENA_CACHE to a folder that can be written to.`,
      ),
    );
    return await fetchLogFile(collection, name, target, memory);
  } finally {
    await repository.close();
  }
}

function gap(name: string, later: string, spoolOnly: boolean): WalSpoolError {
  return new WalSpoolError('wal.gap', `${name} is missing, though ${later}.`, {
    remedy: spoolOnly
      ? 'Log backups take segments out of the folder: name the repository as well, with --repository.'
      : 'Recover to a place before it, or from a data backup after it.',
    details: { name },
  });
}

/** A server that is told 1 takes its recovery for complete: everything but "there is none" must stop it. */
function sayWhy(cli: Invocation, name: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  cli.remark(`catena: ${name} could not be fetched: ${reason}`);
}
