import { catalogRequests, type BackupView, type RecoveryWindowView } from '@catena/events';
import type { Command } from 'commander';
import { askCurrent } from '../ask-current.ts';
import { subcommand, type Act } from '../command-line.ts';
import { ExitCode } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { mustBeKnown } from '../known-names.ts';
import { listOptions, MOST_ON_A_PAGE, type ListOptions } from '../list-options.ts';
import { gather } from '../pages.ts';
import { placeInHistory, serverOf } from '../presentation/place-in-history.ts';
import { formatBytes, formatInstant, plural } from '../presentation/quantities.ts';
import { recoveryWindowLines } from '../presentation/recovery-window-text.ts';
import { listing } from '../presentation/table.ts';
import { recoveryWindowsOf } from '../recovery-windows.ts';
import { backupsIn, namesFolder, openByHand } from '../repository/open-by-hand.ts';

function backupTable(backups: readonly BackupView[], where: 'with repository' | 'in one repository'): string {
  const repository = (name: string) => (where === 'with repository' ? [name] : []);
  const placed = backups.some((item) => placeInHistory(item) !== undefined);
  const place = (...texts: (string | undefined)[]) => (placed ? texts.map((text) => text ?? '') : []);
  return listing(
    'There are no backups.',
    [
      ...['BACKUP', 'SOURCE', ...repository('REPOSITORY'), 'TYPE', 'AS OF', 'FILES', 'SIZE', 'ADDED'],
      ...place('FROM–TO', 'SERVER'),
      'STATE',
    ],
    backups.map((item) => [
      item.backup,
      item.source,
      ...repository(item.repository),
      item.copyOnly ? `${item.type} copy-only` : item.type,
      formatInstant(item.asOf),
      String(item.files),
      formatBytes(item.bytes),
      formatBytes(item.bytesAdded),
      ...place(placeInHistory(item), serverOf(item)),
      item.warningCount > 0 ? `${item.state}, ${plural(item.warningCount, 'warning')}` : item.state,
    ]),
  );
}

/** What is no restore point any more, why, and what it is still there for. */
function expiredTable(items: readonly BackupView[], all: readonly BackupView[]): string {
  const needers = (id: string) =>
    all.filter(({ closure, state }) => closure.includes(id) && state !== 'deleted' && state !== 'condemned');
  return listing(
    'Nothing has expired.',
    ['BACKUP', 'SOURCE', 'TYPE', 'AS OF', 'BYTES', 'STATE', 'BECAUSE', 'STILL THERE FOR', 'UNDO UNTIL'],
    items.map((item) => {
      const by = needers(item.backup).length;
      return [
        item.backup,
        item.source,
        item.type,
        formatInstant(item.asOf),
        formatBytes(item.bytesAdded),
        item.state,
        item.expired?.because ?? '-',
        item.state === 'expired' && by > 0 ? plural(by, 'backup') : '-',
        item.state === 'expired' && item.expired?.undoUntil !== undefined
          ? formatInstant(item.expired.undoUntil)
          : '-',
      ];
    }),
  );
}

/** Expired, condemned and deleted ones; `retainedBytes` of the expired, which come back when nothing needs them. */
async function listExpired(cli: Invocation, { limit, ...filter }: ListOptions): Promise<void> {
  const client = await cli.connect();
  const page = await gather((after) =>
    askCurrent(client, catalogRequests.listBackups, { ...filter, after, limit: MOST_ON_A_PAGE }),
  );
  const items = page.items.filter(({ state }) => OUT.includes(state)).slice(0, limit);
  const retainedBytes = items
    .filter(({ state }) => state === 'expired')
    .reduce((sum, { bytesAdded }) => sum + bytesAdded, 0);
  cli.answer({ ...page, items, next: undefined, retainedBytes });
  cli.say(expiredTable(items, page.items));
  if (retainedBytes > 0) cli.say(`\nretained for others or for their grace: ${formatBytes(retainedBytes)}`);
  if (page.stale) cli.remark(`The catalog is behind: ${page.stale}`);
}

const OUT: readonly BackupView['state'][] = ['expired', 'condemned', 'deleted'];

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

function nameOfCollection({ source, repository }: RecoveryWindowView): string {
  return `${source} in ${repository}`;
}

/** Windows are of a collection, whatever else chooses backups. */
function windowFilter({ source, repository, asOf }: ListOptions) {
  return {
    ...(source === undefined ? {} : { source }),
    ...(repository === undefined ? {} : { repository }),
    ...(asOf === undefined ? {} : { asOf }),
  };
}

/** `catena backups`: what there is. */
export function addBackups(program: Command, act: Act): void {
  listOptions(
    subcommand(
      program,
      'backups',
      'Lists backups, newest first',
      'catena backups --source home\ncatena backups --expired\ncatena backups --as-of 2026-03-01T00:00:00Z\ncatena backups --repository /mnt/vault      # no service needed',
    ),
    '--repository <name|folder>',
  )
    .option(
      '--expired',
      'what its retention let go: why, what it is still there for, until when it can be undone',
    )
    .action(
      act(async (cli, { expired, ...options }: ListOptions & { expired?: boolean }) => {
        if (namesFolder(options.repository)) {
          await listFolder(cli, options.repository, options);
          return;
        }
        if (expired === true) {
          await listExpired(cli, options);
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
        await mustBeKnown(client, page.items, filter);
        const recoveryWindows = await recoveryWindowsOf(client, windowFilter(options));
        cli.answer({ ...page, recoveryWindows });
        cli.say(backupTable(page.items, 'with repository'));
        for (const [of, windows] of Map.groupBy(recoveryWindows, nameOfCollection))
          cli.say(`\n${[of, ...recoveryWindowLines(windows)].join('\n')}`);
        if (page.stale) cli.remark(`The catalog is behind: ${page.stale}`);
      }),
    );
}
