import type { BackupView, RestoreStop } from '@catena/events';
import { planRestore, restorableOf, stopOfPlan, targetOfStop, type ForkOrigin } from '@catena/chain';
import type { Command } from 'commander';
import { instant } from './command-line.ts';
import { NotPossibleError, UsageError } from './invocation.ts';

/** How a person names a place in the history of a source that keeps a log. */
export interface PlaceOptions {
  at?: string;
  position?: string;
  mark?: string;
  transaction?: string;
  branch?: string;
  nearest?: boolean;
}

/** A time as the command line takes it, with the microseconds that PostgreSQL's commit times have. */
export function moment(text: string): string {
  const at = instant(text);
  const finer = /\.\d{3}(\d{1,3})/.exec(text)?.[1];
  return finer === undefined ? at : at.replace('Z', `${finer}Z`);
}

/** Adds the options that name a place. */
export function placeOptions(command: Command): Command {
  return command
    .option(
      '--at <time>',
      'as it was at this time; of a source that keeps no log: the newest backup before it',
      moment,
    )
    .option('--position <position>', 'to this position of its log, such as 0/16B3748')
    .option('--mark <name>', 'to a mark (a named restore point) in its log')
    .option('--transaction <id>', 'up to and with this transaction')
    .option('--branch <fork>', 'on this branch of its history; default the newest')
    .option('--nearest', 'what comes nearest before will do when the place cannot be reached');
}

/**
 * The place that was named, if one was.
 * @throws UsageError when there are several, or what they say cannot be read.
 */
export function placeNamed(options: PlaceOptions): RestoreStop | undefined {
  const { at, position, mark, transaction, branch } = options;
  const places: RestoreStop[] = [
    ...(at === undefined ? [] : [{ at }]),
    ...(position === undefined ? [] : [{ position: positionOf(position) }]),
    ...(mark === undefined ? [] : [{ mark }]),
    ...(transaction === undefined ? [] : [{ transaction: wholeNumber(transaction) }]),
  ];
  const [place, another] = places;
  if (another !== undefined)
    throw new UsageError('A restore has one place to stop: --at, --position, --mark or --transaction.');
  if (place === undefined) return undefined;
  return branch === undefined ? place : { ...place, fork: branch };
}

/** A position as a decimal number, or as PostgreSQL writes it: two hexadecimal halves with a slash. */
export function positionOf(text: string): string {
  const halves = /^([0-9a-f]{1,8})\/([0-9a-f]{1,8})$/i.exec(text);
  if (halves !== null) return ((BigInt(`0x${halves[1]}`) << 32n) | BigInt(`0x${halves[2]}`)).toString();
  return wholeNumber(text);
}

/** A number of any width, as decimal text. */
export function wholeNumber(text: string): string {
  if (/^\d+$/.test(text)) return text;
  throw new UsageError(`"${text}" is neither a whole number nor a position such as 0/16B3748.`);
}

/** Whether backups are of a source whose log is backed up, or could be. */
export function keepLogs(backups: readonly BackupView[]): boolean {
  return backups.some((one) => one.type === 'log' || one.archivePoint !== undefined);
}

/** What is read for a place, in order, when no catalog plans it. */
export interface PlannedSteps {
  readonly data: BackupView;
  readonly logs: readonly BackupView[];
  readonly stop?: RestoreStop;
}

/**
 * Plans a restore to a place from what a repository holds.
 * @param forks by branch, where it left its parent
 * @throws NotPossibleError when it cannot be reached and the nearest was not asked for.
 */
export function planPlace(
  backups: readonly BackupView[],
  until: RestoreStop | undefined,
  forks: ReadonlyMap<string, ForkOrigin>,
  options: PlaceOptions & { backup?: string; copyOnly?: boolean },
): PlannedSteps {
  const plan = planRestore(backups.map(restorableOf), targetOfStop(until), {
    forks,
    fork: until?.fork,
    base: options.backup,
    noCopyOnly: options.copyOnly === false,
  });
  const viewOf = (id: string) => backups.find((one) => one.backup === id);
  const [data, ...logs] = plan.steps.map((step) => viewOf(step.backup)).filter((one) => one !== undefined);
  if (data === undefined || (!plan.reachesTarget && options.nearest !== true)) {
    const reached = plan.lastReachable?.at ?? plan.lastReachable?.position;
    const times = [plan.neighbours.before, plan.neighbours.after].filter((one) => one !== null);
    throw new NotPossibleError(
      reached === undefined
        ? 'No usable backup ends at or before the place that was asked for.'
        : `The backups reach ${reached}, not the place that was asked for.`,
      times.length === 0
        ? 'catena backups lists what there is.'
        : `Times that can be had: ${times.join(', ')}; or take the nearest with --nearest.`,
    );
  }
  const stop = stopOfPlan(until, plan);
  return { data, logs, ...(stop === undefined ? {} : { stop }) };
}
