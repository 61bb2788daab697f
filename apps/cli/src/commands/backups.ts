import { catalogRequests, type BackupView } from '@catena/events';
import type { Command } from 'commander';
import { askCurrent } from '../ask-current.ts';
import { subcommand, type Act } from '../command-line.ts';
import { ExitCode } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { listOptions, MOST_ON_A_PAGE, type ListOptions } from '../list-options.ts';
import { gather } from '../pages.ts';
import { formatBytes, formatInstant, plural } from '../presentation/quantities.ts';
import { listing } from '../presentation/table.ts';
import { backupsIn, namesFolder, openByHand } from '../repository/open-by-hand.ts';

function backupTable(backups: readonly BackupView[], where: 'with repository' | 'in one repository'): string {
  const repository = (name: string) => (where === 'with repository' ? [name] : []);
  return listing(
    'There are no backups.',
    ['BACKUP', 'SOURCE', ...repository('REPOSITORY'), 'TYPE', 'AS OF', 'FILES', 'SIZE', 'ADDED', 'STATE'],
    backups.map((item) => [
      item.backup,
      item.source,
      ...repository(item.repository),
      item.copyOnly ? `${item.type} copy-only` : item.type,
      formatInstant(item.asOf),
      String(item.files),
      formatBytes(item.bytes),
      formatBytes(item.bytesAdded),
      item.warningCount > 0 ? `${item.state}, ${plural(item.warningCount, 'warning')}` : item.state,
    ]),
  );
}

/** From the manifests, which are in clear: no key and no service is needed. */
async function listFolder(cli: Invocation, folder: string, { source, limit }: ListOptions): Promise<void> {
  const repository = await openByHand(folder, {});
  try {
    const { backups, unreadable } = await backupsIn(repository);
    const items = backups
      .filter((backup) => source === undefined || backup.source === source)
      .slice(0, limit);
    cli.answer({ items, unreadable });
    cli.say(backupTable(items, 'in one repository'));
    for (const { name, message } of unreadable) cli.remark(`unreadable manifest ${name}: ${message}`);
    if (unreadable.length > 0) cli.exit(ExitCode.damageFound);
  } finally {
    await repository.close();
  }
}

/** `catena backups`: what there is. */
export function addBackups(program: Command, act: Act): void {
  listOptions(
    subcommand(
      program,
      'backups',
      'Lists backups, newest first',
      'catena backups --source home\ncatena backups --as-of 2026-03-01T00:00:00Z\ncatena backups --repository /mnt/vault      # no service needed',
    ),
    '--repository <name|folder>',
  ).action(
    act(async (cli, options: ListOptions) => {
      if (namesFolder(options.repository)) {
        await listFolder(cli, options.repository, options);
        return;
      }
      const { limit, ...filter } = options;
      const client = await cli.connect();
      const page = await gather(
        (after) =>
          askCurrent(client, catalogRequests.listBackups, {
            ...filter,
            after,
            limit: Math.min(limit, MOST_ON_A_PAGE),
          }),
        limit,
      );
      cli.answer(page);
      cli.say(backupTable(page.items, 'with repository'));
      if (page.stale) cli.remark(`The catalog is behind: ${page.stale}`);
    }),
  );
}
