import { catalogRequests, type BackupView } from '@catena/events';
import { chooseBackup, type BackupChoice, type ChosenBackup } from '@catena/chain';
import type { CatenaClient } from '@catena/client';
import { askCurrent } from './ask-current.ts';
import { gather } from './pages.ts';
import { NotPossibleError, UsageError, type Invocation } from './invocation.ts';
import { formatInstant, plural } from './presentation/quantities.ts';

/** How a person names what to restore. */
export interface ChoiceOptions {
  backup?: string;
  at?: string;
  copyOnly?: boolean;
}

/** Chooses from a list; with `--no-copy-only` as if there were no copy-only backups. */
export function choose(backups: readonly BackupView[], options: ChoiceOptions): ChosenBackup {
  const choice: BackupChoice =
    options.backup !== undefined
      ? { backup: options.backup }
      : options.at !== undefined
        ? { at: options.at }
        : { latest: true };
  return chooseBackup(backups, choice, { copyOnly: options.copyOnly === false });
}

/** Chooses from the catalog. @throws what `backupsToChooseFrom` and choosing throw. */
export async function chooseFromCatalog(
  client: CatenaClient,
  source: string | undefined,
  repository: string | undefined,
  options: ChoiceOptions,
): Promise<ChosenBackup> {
  return choose(await backupsToChooseFrom(client, source, repository, options), options);
}

/**
 * What the catalog knows of a source, in any state. A backup's id alone is enough; else the source must be named.
 * @throws UsageError when neither is named; NotPossibleError when the source has no backup.
 */
export async function backupsToChooseFrom(
  client: CatenaClient,
  source: string | undefined,
  repository: string | undefined,
  options: ChoiceOptions,
): Promise<readonly BackupView[]> {
  if (source === undefined && options.backup === undefined) {
    throw new UsageError(
      'Say what of: a source, or --backup <id>.',
      'List sources with "catena get sources".',
    );
  }
  const page = await gather((after) =>
    askCurrent(client, catalogRequests.listBackups, { source, repository, after, limit: 1000 }),
  );
  if (source !== undefined && page.items.length === 0)
    throw new NotPossibleError(
      `There is no backup of "${source}"${repository === undefined ? '' : ` in "${repository}"`}.`,
      'See what there is: catena backups',
    );
  return page.items;
}

/** Says what was chosen, and honestly when it is not the very time that was asked for. */
export function sayChoice(cli: Invocation, chosen: ChosenBackup, options: ChoiceOptions): void {
  const { backup, needed, reachesTarget, next } = chosen;
  const others = needed.length - 1;
  cli.say(
    `${backup.backup}  ${backup.type}${backup.copyOnly ? ' (copy-only)' : ''} of ${backup.source}, as of ${formatInstant(backup.asOf)}${others === 0 ? '' : `, built on ${plural(others, 'other backup')}`}`,
  );
  if (options.at !== undefined && !reachesTarget) {
    cli.say(
      `  This source keeps no log: of the times up to ${options.at} that can be had this is the nearest.${next ? ` The next is ${formatInstant(next)}.` : ''}`,
    );
  }
}
