import { catalogRequests, type BackupView, type DefinitionView, type RunView } from '@catena/events';
import {
  collectionRules,
  explainBackup,
  ZoneCalendar,
  type BackupExplanation,
  type CollectionRules,
} from '@catena/chain';
import type { CatenaClient } from '@catena/client';
import { previewSchedules, readScheduleSpec, type ScheduleSpec } from '@catena/schedule';
import type { Command } from 'commander';
import { askCurrent } from '../ask-current.ts';
import { subcommand, type Act } from '../command-line.ts';
import { NotPossibleError, type Invocation } from '../invocation.ts';
import { gather } from '../pages.ts';
import { formatBytes, formatInstant, plural } from '../presentation/quantities.ts';
import { definitionsOf } from './get.ts';

const DAYS_AHEAD = 400;
/** Of a schedule that fires every minute no more are looked at. */
const MOST_UPCOMING = 2_000;
const DAY = 24 * 3_600_000;

interface Writer {
  readonly name: string;
  readonly uid: string;
  readonly spec: ScheduleSpec;
}

/** `catena explain`: why a backup is there, and when it goes. */
export function addExplain(program: Command, act: Act): void {
  subcommand(
    program,
    'explain',
    'Says why a backup exists, what depends on it, and when it goes by which rule',
    'catena explain bkp-7k2m',
  )
    .argument('<backup>', 'its id; the beginning is enough')
    .action(
      act(async (cli, beginning: string) => {
        const client = await cli.connect();
        const [wanted] = (
          await askCurrent(client, catalogRequests.listBackups, { backup: beginning, limit: 1 })
        ).items;
        if (wanted === undefined)
          throw new NotPossibleError(
            `No backup has an id that begins with "${beginning}".`,
            'catena backups lists them.',
          );
        const { source, repository } = wanted;
        const [backups, runs, definitions] = await Promise.all([
          gather((after) =>
            askCurrent(client, catalogRequests.listBackups, { source, repository, after, limit: 1000 }),
          ),
          backupRunsOf(client, source, repository),
          definitionsOf(client, 'Schedule', {}),
        ]);
        const writers = writersTo(definitions.items, wanted);
        const rules = rulesOf(writers);
        const now = Date.now();
        const explained = explainBackup(backups.items, wanted.backup, {
          policy: rules.policy,
          now,
          calendar: new ZoneCalendar(rules.timeZone),
          isManual: ({ run }) => !rules.schedules.has(runs.get(run)?.scheduleUid ?? ''),
          holdsOf: ({ pinned }) => (pinned === true ? ['pinned'] : []),
          upcoming: upcomingOf(writers, now),
          days: DAYS_AHEAD,
        });
        const run = runs.get(wanted.run);
        cli.answer({ ...explained, run, contradiction: rules.contradiction });
        say(cli, explained, run, rules);
      }),
    );
}

async function backupRunsOf(
  client: CatenaClient,
  source: string,
  repository: string,
): Promise<ReadonlyMap<string, RunView>> {
  const page = await gather((after) =>
    askCurrent(client, catalogRequests.listRuns, { source, repository, after, limit: 1000 }),
  );
  return new Map(page.items.map((run) => [run.run, run]));
}

function writersTo(schedules: readonly DefinitionView[], { source, repository }: BackupView): Writer[] {
  return schedules
    .filter(({ deleted }) => !deleted)
    .map(({ name, uid, spec }) => ({ name, uid, spec: readScheduleSpec(spec) }))
    .filter(({ spec }) => spec.source === source && spec.repository === repository);
}

function rulesOf(writers: readonly Writer[]): CollectionRules {
  return collectionRules(
    writers.map(({ name, uid, spec: { timeZone, retention, cadences } }) => ({
      name,
      uid,
      timeZone,
      retention,
      conventional: Object.keys(cadences).some((cadence) => cadence !== 'copyOnly'),
    })),
  );
}

/** The data backups that the schedules are going to take: without them a rule that counts never lets anything go. */
function upcomingOf(writers: readonly Writer[], now: number) {
  const rows = previewSchedules(writers, new Date(now).toISOString(), { count: MOST_UPCOMING });
  return rows.flatMap(({ cadence, at, note }) =>
    cadence === 'copyOnly' || note.includes('does not run') || Date.parse(at) > now + DAYS_AHEAD * DAY
      ? []
      : [{ time: Date.parse(at), type: cadence }],
  );
}

function say(
  cli: Invocation,
  explained: BackupExplanation,
  run: RunView | undefined,
  { policy, contradiction }: CollectionRules,
): void {
  const { backup, dependsOn, neededBy, kept, expires, goes } = explained;
  cli.say(
    `${backup.backup}  ${backup.copyOnly ? 'copy-only ' : ''}${backup.type} of ${backup.source} in ${backup.repository}, as of ${formatInstant(backup.asOf)}, ${formatBytes(backup.bytesAdded)}: ${backup.state}`,
  );
  cli.say(`\nwhy        ${originOf(backup, run)}`);
  if (run?.plan?.kind === 'backup' && run.plan.reason !== undefined) cli.say(`           ${run.plan.reason}`);
  if (run?.plan?.kind === 'compose')
    cli.say(`           composed from ${run.plan.from}, without reading the source`);
  for (const { backup: id, as, state } of dependsOn) cli.say(`depends on ${id}  ${as}, ${state}`);
  if (dependsOn.length === 0) cli.say('depends on nothing');
  for (const { backup: id, direct } of neededBy)
    cli.say(`needed by  ${id}${direct ? '' : '  through others'}`);
  if (neededBy.length === 0) cli.say('needed by  nothing');
  if (contradiction !== undefined) cli.say(`kept       ${contradiction}`);
  if (kept.length > 0) cli.say(`kept       ${kept.join(', ')}`);
  sayEnd(cli, explained);
  if (policy === undefined || backup.state === 'condemned' || backup.state === 'deleted') return;
  if (goes === undefined && expires === undefined && backup.state !== 'expired')
    cli.say(`goes       not within ${plural(DAYS_AHEAD, 'day')}, as things stand`);
}

function originOf({ found, run }: BackupView, view: RunView | undefined): string {
  if (view?.schedule !== undefined)
    return `the schedule ${view.schedule} took it (${view.cadence ?? 'by hand'}${view.nominal === undefined ? '' : `, due ${formatInstant(view.nominal)}`}), ${run}`;
  return found ? 'a rescan found it in the repository' : `a person asked for it, ${run}`;
}

function sayEnd(cli: Invocation, { backup, expires, goes }: BackupExplanation): void {
  const { expired, state } = backup;
  if (expired !== undefined) {
    cli.say(`expired    ${expired.because ?? 'by its policy'}`);
    if (expired.undoUntil !== undefined && state === 'expired')
      cli.say(
        `           can be undone until ${formatInstant(expired.undoUntil)}: catena keep ${backup.backup}`,
      );
  }
  if (state === 'condemned') cli.say('goes       with the next prune; that cannot be taken back');
  else if (state === 'deleted') cli.say('gone       its objects are deleted');
  else {
    if (expires !== undefined && expired === undefined)
      cli.say(`expires    ${expires.date}, ${expires.rule}`);
    if (goes !== undefined) cli.say(`goes       ${goes.date}, ${goes.rule}`);
  }
}
