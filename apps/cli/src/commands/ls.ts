import { readableBytes, type BackupReader, type StoredEntry } from '@catena/vault';
import type { Command } from 'commander';
import { chooseFromCatalog, choose, type ChoiceOptions } from '../backup-choice.ts';
import { instant, subcommand, type Act } from '../command-line.ts';
import type { Invocation } from '../invocation.ts';
import {
  backupsIn,
  namesFolder,
  openByHand,
  repositoryOptions,
  type RepositoryOptions,
} from '../repository/open-by-hand.ts';
import { openByName } from '../repository/open-by-name.ts';

const KIND_SIGNS: Record<StoredEntry['kind'], string> = {
  file: '-',
  folder: 'd',
  symlink: 'l',
  fifo: 'p',
  socket: 's',
  blockDevice: 'b',
  characterDevice: 'c',
};

function permissions(mode: number): string {
  return [6, 3, 0]
    .map((shift) => ['r', 'w', 'x'].map((sign, bit) => ((mode >> shift) & (4 >> bit) ? sign : '-')).join(''))
    .join('');
}

/** One line as `ls -l` people know it. */
export function entryLine(entry: StoredEntry): string {
  const time = new Date(Number(entry.mtime / 1_000_000n)).toISOString().slice(0, 19).replace('T', ' ');
  const owner = `${entry.user ?? entry.uid}:${entry.group ?? entry.gid}`;
  const link = entry.linkTarget
    ? ` -> ${readableBytes(entry.linkTarget)}`
    : entry.hardLink
      ? ` = ${readableBytes(entry.hardLink)}`
      : '';
  return `${KIND_SIGNS[entry.kind]}${permissions(entry.mode)} ${owner.padEnd(16)} ${String(entry.size).padStart(12)} ${time} ${readableBytes(entry.path) || '.'}${link}`;
}

async function list(cli: Invocation, reader: BackupReader, globs: string[]): Promise<void> {
  for await (const entry of reader.entries(globs.length > 0 ? { globs } : {})) {
    if (cli.json) {
      const { path, kind, mode, uid, gid, user, group, size, mtime } = entry;
      process.stdout.write(
        `${JSON.stringify({ path: readableBytes(path), kind, mode, uid, gid, user, group, size: String(size), mtimeNs: String(mtime) })}\n`,
      );
    } else cli.say(entryLine(entry));
  }
}

/** `catena ls`: what is in a backup. */
export function addLs(program: Command, act: Act): void {
  repositoryOptions(
    subcommand(
      program,
      'ls',
      'Lists what is in a backup',
      "catena ls home\ncatena ls home --at 2026-03-01T18:00:00Z 'documents/**'\ncatena ls --repository /mnt/vault --key-file vault.key home",
    ),
  )
    .argument('[source]', 'whose newest backup to list; may be left out with --backup')
    .argument('[globs...]', 'only what matches, from the root of the source')
    .option('--backup <id>', 'this backup (the beginning of its id is enough)')
    .option('--at <time>', 'the newest backup that shows this time or an earlier one', instant)
    .option('--no-copy-only', 'do not use copy-only backups')
    .action(
      act(
        async (
          cli,
          source: string | undefined,
          globs: string[],
          options: RepositoryOptions & ChoiceOptions,
        ) => {
          const byHand = namesFolder(options.repository);
          const client = byHand ? undefined : await cli.connect();
          const fromCatalog = client
            ? await chooseFromCatalog(client, source, options.repository, options)
            : undefined;
          const repository =
            client && fromCatalog
              ? await openByName(client, fromCatalog.backup.repository)
              : await openByHand(options.repository ?? '.', options);
          try {
            const chosen =
              fromCatalog ??
              choose(
                (await backupsIn(repository)).backups.filter(
                  (backup) => source === undefined || backup.source === source,
                ),
                options,
              );
            const reader = await repository
              .collection(chosen.backup.collection)
              .openBackup({ backupId: chosen.backup.backup, name: chosen.backup.manifest.name });
            try {
              await list(cli, reader, globs);
            } finally {
              await reader.close();
            }
          } finally {
            await repository.close();
          }
        },
      ),
    );
}
