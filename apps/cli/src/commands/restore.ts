import path from 'node:path';
import {
  catalogRequests,
  digestId,
  freshId,
  schedulerRequests,
  type BackupView,
  type DatabaseRestore,
} from '@catena/events';
import type { CatenaClient } from '@catena/client';
import { readSourceSpec, sourcePathOf } from '@catena/schedule';
import {
  restorePartsWith,
  shownTarget,
  sourceDrivers,
  type LogToRoll,
  type RestoredCluster,
} from '@catena/sources';
import { globOfPath } from '@catena/vault';
import type { Command } from 'commander';
import { askCurrent } from '../ask-current.ts';
import {
  BACKUP_ARGUMENT,
  choose,
  meantAmong,
  meantInCatalog,
  sayChoice,
  type ChoiceOptions,
} from '../backup-choice.ts';
import { pathOf } from '../browse/entry-paths.ts';
import { clusterAsked, clusterOptions, sayCluster, type ClusterOptions } from '../cluster-restore.ts';
import { collect, subcommand, type Act } from '../command-line.ts';
import { ExitCode } from '../exit-codes.ts';
import { followToTheEnd } from '../follow.ts';
import { NotPossibleError, UsageError, type Invocation } from '../invocation.ts';
import { formatBytes, formatInstant, plural } from '../presentation/quantities.ts';
import {
  keepLogs,
  placeNamed,
  placeOptions,
  planPlace,
  type PlannedSteps,
  type PlaceOptions,
} from '../restore-place.ts';
import { partsNamed, partsOptions, refuseFilesBesideParts, type PartsOptions } from '../restored-parts.ts';
import {
  backupsIn,
  namesFolder,
  openByHand,
  repositoryOptions,
  type RepositoryOptions,
} from '../repository/open-by-hand.ts';

interface RestoreOptions
  extends RepositoryOptions, ChoiceOptions, PlaceOptions, PartsOptions, ClusterOptions {
  to?: string;
  inPlace?: boolean;
  include?: string[];
  only?: string[];
  overwrite?: boolean;
  ownersById?: boolean;
  wait: boolean;
}

/** What is wanted of the backup; empty for all of it. */
function wantedGlobs({ include = [], only = [] }: RestoreOptions): string[] {
  return [...include, ...only.map((shown) => globOfPath(pathOf(shown)))];
}

/** Ids are what counts when a whole system with accounts of its own is restored. */
function ownershipOf({ ownersById }: RestoreOptions): { ownership?: 'id' } {
  return ownersById ? { ownership: 'id' } : {};
}

/** What goes into a server that lives, if that is what is wanted. */
function partsOf(options: RestoreOptions): DatabaseRestore | undefined {
  const parts = partsNamed(options);
  const { to, inPlace, include, only, overwrite } = options;
  refuseFilesBesideParts(parts, {
    '--to': to,
    '--in-place': inPlace,
    '--include': include,
    '--only': only,
    '--overwrite': overwrite,
    '--start': options.start,
    '--try': options.try,
    '--tablespace': options.tablespace,
    '--delta': options.delta,
  });
  return parts;
}

/** With no service: repository and key are enough. */
async function restoreByHand(
  cli: Invocation,
  wanted: string | undefined,
  folder: string,
  given: RestoreOptions,
): Promise<void> {
  const parts = partsOf(given);
  if (given.to === undefined && parts === undefined)
    throw new UsageError(
      'Say where to: --to <folder>.',
      'In place needs the platform, which knows where the source was.',
    );
  const target = parts === undefined ? path.resolve(given.to ?? '') : shownTarget(parts.into);
  const globs = wantedGlobs(given);
  const repository = await openByHand(folder, given);
  try {
    const { backups: all, forks, unreadable } = await backupsIn(repository);
    for (const { name, message } of unreadable) cli.remark(`unreadable manifest ${name}: ${message}`);
    const { backups, options } = meantAmong(all, wanted, given);
    const { data, logs, stop } = chooseByHand(cli, backups, forks, options);
    await using open = new AsyncDisposableStack();
    const openView = ({ collection, backup, manifest: { name } }: BackupView) =>
      repository.collection(collection).openBackup({ backupId: backup, name });
    const reader = await openView(data);
    open.defer(() => reader.close());
    const toRoll: LogToRoll[] = [];
    for (const log of logs) {
      const { backup, manifest } = log;
      const found = await repository
        .collection(log.collection)
        .backup({ backupId: backup, name: manifest.name });
      toRoll.push({ manifest: found.manifest, open: () => openView(log) });
    }
    const restoring = {
      // The same backup to the same place continues what an interrupted call has staged; of parts nothing is staged.
      run: `run-${parts === undefined ? digestId('restore by hand', data.backup, target) : freshId()}`,
      overwrite: options.overwrite ?? false,
      ...ownershipOf(options),
      ...clusterAsked(options),
      signal: cli.signal,
      ...(globs.length === 0 ? {} : { globs }),
      ...(toRoll.length === 0 ? {} : { logs: toRoll }),
      ...(stop === undefined ? {} : { stop }),
    };
    const driver = sourceDrivers.get(reader.manifest.source.driver);
    const outcome =
      parts === undefined
        ? await driver.restore(reader, target, restoring)
        : await restorePartsWith(driver, reader, parts, restoring);
    cli.answer({
      backup: data.backup,
      ...(logs.length === 0 ? {} : { logs: logs.map((log) => log.backup) }),
      target,
      ...outcome,
      warnings: outcome.warnings.map(({ code, message }) => ({ code, message })),
    });
    for (const { name, rows } of outcome.tables ?? []) cli.say(`${name}  ${plural(rows, 'row')}`);
    cli.say(
      `Restored to ${target}: ${plural(outcome.files, parts === undefined ? 'file' : 'table')}, ${formatBytes(outcome.bytes)}${outcome.unchanged > 0 ? `; ${outcome.unchanged} were right already` : ''}.`,
    );
    sayCluster(cli, target, outcome.cluster);
    for (const warning of outcome.warnings) cli.remark(`warning ${warning.code}: ${warning.message}`);
    cli.exit(outcome.warningCount > 0 ? ExitCode.doneWithWarnings : ExitCode.done);
  } finally {
    await repository.close();
  }
}

/** A source with a log is restored to a place in its history; of any other a backup is chosen. */
function chooseByHand(
  cli: Invocation,
  backups: readonly BackupView[],
  forks: ReadonlyMap<string, { parent: string; at: string }>,
  options: RestoreOptions,
): PlannedSteps {
  const until = placeNamed(options);
  if (keepLogs(backups) && (options.backup === undefined || until !== undefined)) {
    const steps = planPlace(backups, until, forks, options);
    const { data, logs } = steps;
    cli.say(
      `${data.backup}  ${data.type}${data.copyOnly ? ' (copy-only)' : ''} of ${data.source}, as of ${formatInstant(data.asOf)}${logs.length === 0 ? '' : `, then ${plural(logs.length, 'log')}`}`,
    );
    return steps;
  }
  const chosen = choose(backups, options);
  sayChoice(cli, chosen, options);
  return { data: chosen.backup, logs: [] };
}

async function placeOf(cli: Invocation, source: string): Promise<string> {
  const client = await cli.connect();
  const definition = (
    await askCurrent(client, catalogRequests.listDefinitions, { kind: 'Source', name: source })
  ).items.find((item) => !item.deleted);
  if (definition === undefined)
    throw new NotPossibleError(
      `The source "${source}" is not defined any more, so nobody knows its place.`,
      'Name a place with --to.',
    );
  const place = sourcePathOf(readSourceSpec(definition.spec));
  if (place === undefined)
    throw new NotPossibleError(
      `The source "${source}" is not at a path of the mover's machine.`,
      'Name a place with --to.',
    );
  return place;
}

/** A place in the history of a source with a log is planned by the catalog; of any other source a backup is chosen here. */
async function chosenByCatalog(
  cli: Invocation,
  client: CatenaClient,
  reference: string | undefined,
  given: RestoreOptions,
) {
  const { source, options, backups } = await meantInCatalog(client, reference, given.repository, given);
  const until = placeNamed(options);
  if (source !== undefined && keepLogs(backups) && (options.backup === undefined || until !== undefined)) {
    const [repository, another] = new Set(backups.map((one) => one.repository));
    if (repository === undefined || another !== undefined)
      throw new UsageError(`"${source}" is in several repositories.`, 'Name one of them with --repository.');
    const { backup, nearest } = options;
    return {
      source,
      request: {
        repository,
        ...(backup === undefined ? { source } : { backup }),
        ...(until === undefined ? {} : { until }),
        ...(nearest === undefined ? {} : { nearest }),
      },
    };
  }
  const chosen = choose(backups, options);
  sayChoice(cli, chosen, options);
  const { backup, repository, source: of } = chosen.backup;
  return { source: of, request: { repository, backup } };
}

async function folderFor(cli: Invocation, source: string, { to }: RestoreOptions): Promise<string> {
  return to === undefined ? await placeOf(cli, source) : path.resolve(to);
}

/** By the platform: a run like any other, with progress, cancel and a record in the log. */
async function restoreByPlatform(
  cli: Invocation,
  source: string | undefined,
  options: RestoreOptions,
): Promise<void> {
  const parts = partsOf(options);
  if (parts === undefined && (options.inPlace ?? false) === (options.to !== undefined))
    throw new UsageError('Say where to: --to <folder>, or --in-place.');
  const client = await cli.connect();
  const wanted = await chosenByCatalog(cli, client, source, options);
  const target = parts === undefined ? await folderFor(cli, wanted.source, options) : shownTarget(parts.into);
  const accepted = await client.ask(schedulerRequests.requestRestore, {
    ...cli.command(),
    ...wanted.request,
    target,
    include: wantedGlobs(options),
    overwrite: options.overwrite ?? false,
    ...ownershipOf(options),
    ...(parts === undefined ? {} : { parts }),
    ...clusterAsked(options),
  });
  if (options.wait) {
    cli.say(`restoring to ${target}`);
    const outcome = await followToTheEnd(cli, client, accepted.run);
    if (outcome.state === 'completed' || outcome.state === 'completedWithWarnings')
      sayCluster(cli, target, outcome.event.data.detail?.['cluster'] as RestoredCluster | undefined);
  } else {
    cli.answer(accepted);
    cli.say(accepted.run);
  }
}

/** `catena restore`: get data back. */
export function addRestore(program: Command, act: Act): void {
  const command = repositoryOptions(
    subcommand(
      program,
      'restore',
      'Gets data back: whole or by glob, with the platform or from a repository alone',
      `catena restore home --to /srv/restored
catena restore home --at 2026-03-01T18:00:00Z --include 'documents/**' --to /srv/restored
catena restore home@2026-03-01T18:00:00Z --only documents/letter.txt --to /srv/restored
catena restore home --in-place --overwrite
catena restore bank --at 2026-03-01T18:00:00Z --to /srv/restored     # to the second, for a source that keeps a log
catena restore bank --at 2026-03-01T18:00:00Z --table accounts --to-database postgres://bank@db.example/bank --to-password-file bank.pw
catena restore bank --at 2026-03-01T18:00:00Z --to /srv/restored --start     # and starts the copy
catena restore --repository /mnt/vault --key-file vault.key --to /srv/restored     # no service needed`,
    ),
  )
    .argument('[backup]', `what to restore: ${BACKUP_ARGUMENT}`)
    .option('--to <folder>', 'where to; it appears only when it is complete and verified')
    .option('--in-place', 'to where the source is')
    .option('--backup <id>', 'this backup (the beginning of its id is enough)');
  clusterOptions(placeOptions(command))
    .option('--no-copy-only', 'do not use copy-only backups')
    .option(
      '--include <glob>',
      'only what matches, from the root of the source: docs/**, **/*.pdf (may be given several times)',
      collect,
    )
    .option(
      '--only <path>',
      'only this file or folder, as "catena ls" shows it (may be given several times)',
      collect,
    )
    .option('--overwrite', 'replace what is there and differs')
    .option('--owners-by-id', 'give files to the recorded ids, not to the accounts of the recorded names')
    .option('--no-wait', 'only ask for it');
  partsOptions(command).action(
    act(async (cli, backup: string | undefined, options: RestoreOptions) => {
      if (namesFolder(options.repository)) await restoreByHand(cli, backup, options.repository, options);
      else await restoreByPlatform(cli, backup, options);
    }),
  );
}
