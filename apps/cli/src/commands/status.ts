import {
  catalogRequests,
  waitingText,
  type DefinitionView,
  type FailingDelivery,
  type KeyView,
  type RecoveryWindowView,
  type RestorePointView,
  type RunView,
  type ScheduleView,
} from '@catena/events';
import type { CatenaClient } from '@catena/client';
import { askCurrent, takeForBehind } from '../ask-current.ts';
import { durationText, readScheduleSpec, rhythmPeriod } from '@catena/schedule';
import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { ExitCode } from '../exit-codes.ts';
import { exitCodeOf } from '../invocation.ts';
import {
  missingServices,
  PlatformNotReadyError,
  servicesThere,
  type ServiceThere,
} from '../services-there.ts';
import { definitionsOf } from './get.ts';
import { formatInstant, plural } from '../presentation/quantities.ts';
import { gapText, lossText } from '../presentation/recovery-window-text.ts';
import { listing } from '../presentation/table.ts';
import { recoveryWindowsOf } from '../recovery-windows.ts';

/** A source and the newest time of it that can be had back. */
interface Protection {
  readonly source: string;
  readonly newest: RestorePointView | undefined;
  /** The stretch of its history of which any moment can be had back, as far as it reaches now. */
  readonly window: RecoveryWindowView | undefined;
  /** Others, which a gap ends. */
  readonly earlier: readonly RecoveryWindowView[];
  readonly lastRun: RunView | undefined;
}

/** A backup that a person asked for and that was refused was said to that person, and says nothing about the source. */
function isTelling({ kind, state, schedule }: RunView): boolean {
  const makes = kind === 'backup' || kind === 'compose';
  return makes && (state !== 'refused' || schedule !== undefined);
}

async function protectionOf(client: CatenaClient, source: string): Promise<Protection> {
  const [points, runs, windows] = await Promise.all([
    askCurrent(client, catalogRequests.listRestorePoints, { source, limit: 1 }),
    askCurrent(client, catalogRequests.listRuns, { source, active: false, limit: 20 }),
    recoveryWindowsOf(client, { source }),
  ]);
  // What the source can still be restored to is more, but what is late or lost is so on the branch that it is on.
  const [window, ...earlier] = windows.filter(({ leftBranch }) => leftBranch !== true);
  return { source, newest: points.items[0], window, earlier, lastRun: runs.items.find(isTelling) };
}

/** What a person has to do something about, each with what. */
function attention(found: {
  services: readonly ServiceThere[];
  stopped?: string | undefined;
  retentionHeldBack?: string | undefined;
  deadLetters: number;
  failingDeliveries: readonly FailingDelivery[];
  protection: readonly Protection[];
  active: readonly RunView[];
  paused: readonly ScheduleView[];
  /** By source how often its log is backed up, in milliseconds. */
  logsEvery: ReadonlyMap<string, number>;
  keys: readonly KeyView[];
}): string[] {
  const needs: string[] = found.services.flatMap(({ service, says }) =>
    says === undefined ? [] : [`The ${service} ${says}.`],
  );
  if (found.stopped) needs.push(`The catalog has stopped reading the log: ${found.stopped}`);
  if (found.retentionHeldBack) needs.push(found.retentionHeldBack);
  for (const { source, newest, lastRun } of found.protection) {
    if (!newest) needs.push(`Nothing of ${source} can be had back yet.`);
    if (lastRun?.failure)
      needs.push(
        `The last backup of ${source} ${lastRun.state === 'refused' ? 'was refused' : 'failed'} at ${formatInstant(lastRun.finishedAt)}: ${lastRun.failure.message}\n    catena runs ${lastRun.run}`,
      );
  }
  for (const { source, window } of found.protection) {
    if (window?.lost !== undefined)
      needs.push(`${source}: ${lossText(window)}.\n    catena backup ${source} --type incremental`);
    else if (window !== undefined && isLate(window, found.logsEvery.get(source)))
      needs.push(
        `The log of ${source} reaches only to ${formatInstant(window.knownUntil)}, though it is backed up every ${durationText(found.logsEvery.get(source) ?? 0)}.\n    catena runs --source ${source}`,
      );
  }
  for (const { run, warnings } of found.active)
    for (const { message } of warnings) needs.push(`${message}\n    catena runs ${run}`);
  for (const { name, pauseReason } of found.paused)
    needs.push(
      `The schedule ${name} is paused${pauseReason ? `: ${pauseReason}` : ''}.\n    catena resume ${name}`,
    );
  if (found.deadLetters > 0)
    needs.push(`${plural(found.deadLetters, 'event')} could not be delivered.\n    catena dead-letters list`);
  for (const { subscription, events, error } of found.failingDeliveries)
    needs.push(
      `${plural(events, 'event')} could not be delivered to the subscription ${subscription} yet and ${events === 1 ? 'is' : 'are'} tried again${error === undefined ? '' : `: ${error}`}`,
    );
  for (const { keyId, repository, path } of found.keys)
    needs.push(
      `The key ${keyId} of repository ${repository} exists only in ${path}; without it nothing there can be restored.\n    catena key export ${repository} --to <file on another device>`,
    );
  return needs;
}

/** Several logs in a row have not come: one may be on its way. */
const LOGS_MISSED = 3;
const LATE_AT_LEAST_MILLISECONDS = 15 * 60_000;

function isLate({ knownUntil }: RecoveryWindowView, every: number | undefined): boolean {
  if (every === undefined) return false;
  return Date.now() - Date.parse(knownUntil) > Math.max(LOGS_MISSED * every, LATE_AT_LEAST_MILLISECONDS);
}

/** By source the distance of its log cadence; paused schedules are not counted. */
function logDistances(
  schedules: readonly DefinitionView[],
  paused: readonly ScheduleView[],
): ReadonlyMap<string, number> {
  const resting = new Set(paused.map(({ name }) => name));
  return new Map(
    schedules.flatMap(({ name, spec }) => {
      const { source, cadences } = readScheduleSpec(spec);
      if (cadences.log === undefined || resting.has(name)) return [];
      const { stream, rhythm } = cadences.log;
      return [[source, stream?.sealAfter ?? rhythmPeriod(rhythm)] as const];
    }),
  );
}

function keepsEverything({ spec }: DefinitionView): boolean {
  return readScheduleSpec(spec).retention === undefined;
}

/** `catena status`: is all well, and if not, what. */
export function addStatus(program: Command, act: Act): void {
  subcommand(
    program,
    'status',
    'Shows whether the platform is well and what needs attention',
    'catena status\ncatena status --json',
  ).action(
    act(async (cli) => {
      const client = await cli.connect();
      const services = await servicesThere(client, cli.home);
      const missing = missingServices(services);
      const status = await client.ask(catalogRequests.catalogStatus, {}).catch((error: unknown) => {
        const notThere = missing !== undefined && exitCodeOf(error) === ExitCode.unreachable;
        throw notThere ? new PlatformNotReadyError(missing, services, error) : error;
      });
      if (missing !== undefined) cli.exit(ExitCode.unreachable);
      if (status.stopped !== undefined) takeForBehind(client);
      const [active, states, keys, sources, schedules] = await Promise.all([
        askCurrent(client, catalogRequests.listRuns, { active: true }),
        askCurrent(client, catalogRequests.listSchedules, { limit: 1000 }),
        askCurrent(client, catalogRequests.listKeys, { limit: 1000 }),
        definitionsOf(client, 'Source', {}),
        definitionsOf(client, 'Schedule', {}),
      ]);
      const protection = await Promise.all(sources.items.map(({ name }) => protectionOf(client, name)));
      const paused = states.items.filter((state) => state.paused);
      const keysNotStoredElsewhere = keys.items.filter((key) => key.exportedAt === undefined);
      const keptForEver = schedules.items.filter(keepsEverything).map(({ name }) => name);
      const { counts } = status;
      const logsEvery = logDistances(schedules.items, paused);
      const needs = attention({
        services,
        ...{ ...status, protection, active: active.items, paused, logsEvery },
        keys: keysNotStoredElsewhere,
      });
      cli.answer({
        ...status,
        services,
        attention: needs,
        protection,
        active: active.items,
        paused,
        keysNotStoredElsewhere,
        schedulesWithoutRetention: keptForEver,
      });

      cli.say(needs.length === 0 ? 'All is well.' : `${plural(needs.length, 'thing')} to look at:`);
      for (const need of needs) cli.say(`  ${need}`);
      cli.say(
        `\n${listing(
          'No source is defined yet; see "catena apply --help".',
          ['SOURCE', 'NEWEST RESTORE POINT', 'ANY MOMENT', 'LAST BACKUP RUN'],
          protection.map(({ source, newest, window, lastRun }) => [
            source,
            newest ? formatInstant(newest.at) : 'NONE',
            window ? `${formatInstant(window.from)} to ${formatInstant(window.to)}` : '-',
            lastRun ? `${lastRun.state} ${formatInstant(lastRun.finishedAt)}` : '-',
          ]),
        )}\n`,
      );
      for (const { source, window, earlier } of protection)
        for (const one of [...(window ? [window] : []), ...earlier])
          if (one.gap !== undefined) cli.say(`${source}: ${gapText(one)}`);
      for (const run of active.items)
        cli.say(
          `under way: ${run.run}  ${run.kind} of ${run.source ?? run.repository}: ${run.state}${run.waiting ? `, ${waitingText(run.waiting)}` : ''}`,
        );
      if (keptForEver.length > 0)
        cli.say(`kept for ever, for want of a retention: what ${keptForEver.join(', ')} makes`);
      cli.say(
        `${plural(counts['backups'] ?? 0, 'backup')} in ${plural(counts['chains'] ?? 0, 'chain')}, ${plural(counts['runs'] ?? 0, 'run')}; the catalog has read ${status.sequence} of ${status.logSequence} events`,
      );
    }),
  );
}
