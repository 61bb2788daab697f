import { existsSync } from 'node:fs';
import { catalogRequests } from '@catena/events';
import {
  DefinitionsRefusedError,
  parseDefinitions,
  previewSchedules,
  readScheduleSpec,
  type PreviewedSchedule,
  type PreviewRow,
} from '@catena/schedule';
import type { Command } from 'commander';
import { subcommand, wholeNumber, type Act } from '../command-line.ts';
import { readDefinitionFiles } from '../definition-files.ts';
import { UsageError, type Invocation } from '../invocation.ts';
import { formatMonth } from '../presentation/month-view.ts';
import { formatTable } from '../presentation/table.ts';

interface PreviewOptions {
  from?: string;
  until?: string;
  count?: number;
  month?: string;
}

const DEFAULT_COUNT = 10;

/** `catena preview`: when schedules will run, from a file alone or as they are defined now. */
export function addPreview(program: Command, act: Act): void {
  subcommand(
    program,
    'preview',
    'Shows when schedules run; a file needs no platform and nothing it names',
    'catena preview nightly.yaml --count 20\ncatena preview nightly --from 2026-03-28T00:00:00Z --until 2026-04-01T00:00:00Z\ncatena preview definitions/ --month 2026-03',
  )
    .argument(
      '<file|schedule>',
      'a definition file, a folder of them, - for standard input, or a schedule by name',
    )
    .option('--from <time>', 'rows strictly after this instant (default: now)')
    .option('--until <time>', 'rows up to this instant, it included')
    .option(
      '--count <n>',
      `how many rows (default: ${DEFAULT_COUNT} without --until)`,
      wholeNumber(1, 100_000),
    )
    .option('--month <yyyy-mm>', 'a month as a calendar sheet, in the time zone of each schedule')
    .action(
      act(async (cli, place: string, options: PreviewOptions) => {
        const schedules = await schedulesOf(cli, place);
        if (options.month !== undefined) {
          showMonth(cli, schedules, options.month);
          return;
        }
        const rows = rowsOf(schedules, options);
        cli.answer(rows);
        cli.say(
          formatTable(
            ['SCHEDULE', 'CADENCE', 'AT (UTC)', 'LOCAL', 'NOTE'],
            rows.map(({ schedule, cadence, at, local, note }) => [schedule, cadence, at, local, note]),
          ),
        );
      }),
    );
}

function rowsOf(
  schedules: readonly PreviewedSchedule[],
  { from, until, count }: PreviewOptions,
): PreviewRow[] {
  const start = instantOf(from, '--from') ?? new Date().toISOString();
  const end = instantOf(until, '--until');
  if (end === undefined) return previewSchedules(schedules, start, { count: count ?? DEFAULT_COUNT });
  const rows = previewSchedules(schedules, start, { until: end });
  return count === undefined ? rows : rows.slice(0, count);
}

function showMonth(cli: Invocation, schedules: readonly PreviewedSchedule[], month: string): void {
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month))
    throw new UsageError(`"${month}" is not a month.`, 'Write it as 2026-03.');
  const [year = 0, number = 1] = month.split('-').map(Number);
  const DAY = 86_400_000;
  // A day more on both sides holds the month of every zone.
  const from = new Date(Date.UTC(year, number - 1, 1) - DAY).toISOString();
  const until = new Date(Date.UTC(year, number, 1) + DAY).toISOString();
  const sheets = schedules.map((schedule) => {
    const rows = previewSchedules([schedule], from, { until }).filter(({ local }) => local.startsWith(month));
    return { schedule: schedule.name, timeZone: schedule.spec.timeZone, rows };
  });
  cli.answer(sheets);
  for (const { schedule, timeZone, rows } of sheets) {
    cli.say(`${schedule} (${timeZone}) ${formatMonth(month, rows)}`);
    for (const { local, cadence, note } of rows.filter((row) => row.note !== '')) {
      cli.say(`  ${local} ${cadence}: ${note}`);
    }
    cli.say('');
  }
}

/** @throws UsageError when the text is no instant with its zone. */
function instantOf(text: string | undefined, option: string): string | undefined {
  if (text === undefined) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at) || !/(Z|[+-]\d\d:\d\d)$/.test(text)) {
    throw new UsageError(
      `${option} "${text}" is not an instant.`,
      'Write it with its zone: 2026-03-30T01:30:00Z.',
    );
  }
  return new Date(at).toISOString();
}

async function schedulesOf(cli: Invocation, place: string): Promise<PreviewedSchedule[]> {
  const isFile = place === '-' || existsSync(place) || /[./]/.test(place);
  return isFile ? await schedulesInFiles(cli, place) : [await definedSchedule(cli, place)];
}

async function schedulesInFiles(cli: Invocation, place: string): Promise<PreviewedSchedule[]> {
  const files = await readDefinitionFiles([place], cli.home);
  const parsed = parseDefinitions(files, [], { references: 'mayBeAbsent' });
  if (!parsed.ok) throw new DefinitionsRefusedError(parsed.problems);
  const schedules = parsed.definitions
    .filter(({ kind }) => kind === 'Schedule')
    .map(({ name, spec }) => ({ name, spec: readScheduleSpec(spec) }));
  if (schedules.length === 0) throw new UsageError(`There is no Schedule in ${place}.`);
  return schedules;
}

async function definedSchedule(cli: Invocation, name: string): Promise<PreviewedSchedule> {
  const client = await cli.connect();
  const { items } = await client.ask(catalogRequests.listDefinitions, { kind: 'Schedule', name });
  const found = items.find(({ deleted }) => !deleted);
  if (!found) {
    throw new UsageError(
      `There is no schedule "${name}", and no file of that name.`,
      'See what there is: catena get schedules',
    );
  }
  return { name, spec: readScheduleSpec(found.spec) };
}
