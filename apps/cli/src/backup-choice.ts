import { catalogRequests, type BackupView } from '@catena/events';
import { chooseBackup, type BackupChoice, type ChosenBackup } from '@catena/chain';
import type { CatenaClient } from '@catena/client';
import { InvalidArgumentError } from 'commander';
import { askCurrent } from './ask-current.ts';
import { instant } from './command-line.ts';
import { gather } from './pages.ts';
import { NotPossibleError, UsageError, type Invocation } from './invocation.ts';
import { formatInstant, plural } from './presentation/quantities.ts';

/** How a person names what to restore. */
export interface ChoiceOptions {
  backup?: string;
  at?: string;
  copyOnly?: boolean;
}

/** What `[backup]` means, for the help of every command that takes one. */
export const BACKUP_ARGUMENT =
  'a source (its newest backup), a source at a time (home@2026-03-01T18:00:00Z), the beginning of the id of a backup, or "latest"';

/** Whatever is newest. */
export const LATEST = 'latest';

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

/** What a person means: of which source, if of one, and which of its backups. */
export interface Meant<O extends ChoiceOptions> {
  source: string | undefined;
  options: O;
  /** Of the source, or all of them. */
  backups: readonly BackupView[];
}

/** `home@<time>` as source and time. @throws UsageError for what is no time, or a second one. */
function readReference<O extends ChoiceOptions>(text: string, options: O): { name: string; options: O } {
  const [, name, time] = /^([^@]*)@(.+)$/.exec(text) ?? [];
  if (name === undefined || time === undefined) return { name: text, options };
  if (options.at !== undefined)
    throw new UsageError(`"${text}" and --at name two times.`, 'Give one of them.');
  if (time === LATEST) return { name, options };
  try {
    return { name, options: { ...options, at: instant(time) } };
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new UsageError(`"${text}": ${error.message}`);
  }
}

/**
 * What a person wrote (see `BACKUP_ARGUMENT`), looked up in all backups of a place.
 * @throws UsageError when it may be several sources; NotPossibleError when there is no such backup
 */
export function meantAmong<O extends ChoiceOptions>(
  all: readonly BackupView[],
  reference: string | undefined,
  given: O,
): Meant<O> {
  const { name, options } = readReference(reference ?? LATEST, given);
  const backups = all.filter(({ source }) => source === name);
  if (backups.length > 0) return { source: name, options, backups };
  const isId = name !== LATEST && name !== '' && options.at === undefined;
  if (isId && all.some(({ backup }) => isCalled(backup, name)))
    return { source: undefined, options: { ...options, backup: name }, backups: all };
  if (name !== LATEST) throw nothingOf(name);
  if (options.backup !== undefined) return { source: undefined, options, backups: all };
  const [source, ...others] = new Set(all.map((backup) => backup.source));
  if (others.length > 0)
    throw new UsageError(
      `There are backups of several sources: ${[source, ...others].join(', ')}.`,
      'Name one of them, or the id of a backup.',
    );
  return { source, options, backups: all };
}

/** All backups of a source, or of all, as the catalog has them now. */
export async function backupsOf(
  client: CatenaClient,
  source: string | undefined,
  repository: string | undefined,
): Promise<readonly BackupView[]> {
  const page = await gather((after) =>
    askCurrent(client, catalogRequests.listBackups, { source, repository, after, limit: 1000 }),
  );
  return page.items;
}

/**
 * What a person wrote, looked up in the catalog; without a reference the options say which backup.
 * @throws UsageError when neither says what; and what `meantAmong` throws
 */
export async function meantInCatalog<O extends ChoiceOptions>(
  client: CatenaClient,
  reference: string | undefined,
  repository: string | undefined,
  given: O,
): Promise<Meant<O>> {
  if (reference === undefined && given.backup === undefined) {
    throw new UsageError(
      'Say what of: a source, or a backup.',
      'List sources with "catena get sources", backups with "catena backups".',
    );
  }
  const { name } = readReference(reference ?? LATEST, given);
  const ofSource = name === LATEST ? [] : await backupsOf(client, name, repository);
  const known = ofSource.length > 0 ? ofSource : await backupsOf(client, undefined, repository);
  return meantAmong(known, reference, given);
}

/** Chooses from the catalog by what a person wrote. @throws what looking it up and choosing throw */
export async function chooseFromCatalog(
  client: CatenaClient,
  reference: string | undefined,
  repository: string | undefined,
  given: ChoiceOptions,
): Promise<ChosenBackup> {
  const { backups, options } = await meantInCatalog(client, reference, repository, given);
  return choose(backups, options);
}

/** Whether the text is an id or its beginning, which people give without `bkp-` too. */
function isCalled(id: string, text: string): boolean {
  return id.startsWith(text) || id.startsWith(`bkp-${text}`);
}

function nothingOf(name: string): NotPossibleError {
  return new NotPossibleError(`There is no backup of "${name}".`, 'See what there is: catena backups');
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
