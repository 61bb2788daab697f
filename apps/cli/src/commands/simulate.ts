import { catalogRequests, type BackupView } from '@catena/events';
import { simulateRetention, type RetentionAnswer } from '@catena/chain';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { commandGroup, subcommand, type Act } from '../command-line.ts';
import { UsageError, type Invocation } from '../invocation.ts';
import { gather } from '../pages.ts';
import { formatBytes } from '../presentation/quantities.ts';
import { readInputFile } from '../read-input-file.ts';

interface SimulateOptions {
  policy?: string;
  backups?: string;
  schedule?: string;
  at?: string;
  until?: string;
  timeZone?: string;
}

function parsed(file: string, text: string, reader: (text: string) => unknown): unknown {
  try {
    return reader(text);
  } catch (error) {
    throw new UsageError(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      'A policy is YAML, a list of backups is a JSON array.',
    );
  }
}

/** A policy file holds spec.retention itself, or a document that has it. */
async function policyOf(file: string): Promise<unknown> {
  const value = parsed(file, await readInputFile(file), parse);
  const spec = (value as { spec?: { retention?: unknown } } | null)?.spec;
  if (spec?.retention !== undefined) return spec.retention;
  return (value as { retention?: unknown } | null)?.retention ?? value;
}

function pointOf(view: BackupView): Record<string, unknown> {
  const { backup, asOf, type, parent, base, copyOnly, bytesAdded, family, fork, start, position } = view;
  const place = { family, fork, start, position };
  return { id: backup, time: asOf, type, parent, base, copyOnly, bytes: bytesAdded, ...place };
}

interface Given {
  policy: unknown;
  backups: unknown;
  timeZone: string | undefined;
}

/** The live catalog: a schedule's own policy, or another one, over its source's backups. */
async function fromCatalog(
  cli: Invocation,
  schedule: string,
  policyFile: string | undefined,
): Promise<Given> {
  const client = await cli.connect();
  const definition = (
    await client.ask(catalogRequests.listDefinitions, { kind: 'Schedule', name: schedule })
  ).items.find((item) => !item.deleted);
  if (!definition)
    throw new UsageError(`There is no Schedule "${schedule}".`, 'List them with "catena get schedules".');
  const { source, repository, retention, timeZone } = definition.spec as {
    source: string;
    repository: string;
    retention?: unknown;
    timeZone?: string;
  };
  const policy = policyFile === undefined ? retention : await policyOf(policyFile);
  if (policy === undefined)
    throw new UsageError(
      `Schedule "${schedule}" has no retention: everything is kept.`,
      'Try one out with --policy <file>.',
    );
  const page = await gather((after) =>
    client.ask(catalogRequests.listBackups, { source, repository, after, limit: 1000 }),
  );
  return { policy, backups: page.items.filter(({ state }) => state === 'usable').map(pointOf), timeZone };
}

function sayAnswer(cli: Invocation, answer: RetentionAnswer): void {
  for (const kept of answer.keep) cli.say(`keep    ${kept.id}  ${kept.reasons.join(', ')}`);
  for (const gone of answer.delete) cli.say(`delete  ${gone.id}  ${gone.reason}`);
  cli.say(
    `\nkept ${answer.keep.length} (${formatBytes(answer.bytes.kept)}, ${formatBytes(answer.bytes.retained)} for others), deleted ${answer.delete.length} (${formatBytes(answer.bytes.deleted)})`,
  );
  for (const day of answer.days ?? []) {
    cli.say(`\n${day.date}`);
    for (const gone of day.expire)
      cli.say(`  expires  ${gone.id}  ${gone.reason}; its bytes stay for ${gone.neededBy}`);
    for (const gone of day.delete) cli.say(`  deleted  ${gone.id}  ${gone.reason}`);
  }
}

/** `catena simulate retention`: what a policy would keep and delete, when and why. Deletes nothing. */
export function addSimulate(program: Command, act: Act): void {
  const group = commandGroup(
    program,
    'simulate',
    'Tries out a policy; deletes nothing',
    'catena simulate retention --policy policy.yaml --backups backups.json',
  );
  subcommand(
    group,
    'retention',
    'Says what a retention policy keeps and deletes, when, and by which rule',
    `catena simulate retention --policy policy.yaml --backups backups.json
catena simulate retention --policy policy.yaml --backups backups.json --until 2027-01-01
catena simulate retention --schedule nightly --policy stricter.yaml     # over the live catalog`,
  )
    .option('--policy <file>', 'YAML of spec.retention')
    .option(
      '--backups <file>',
      'a JSON array of backups: id, time, type, parent, base, copyOnly, tags, pinned, host, paths',
    )
    .option(
      '--schedule <name>',
      "the backups of this schedule's source, by its own policy unless --policy gives another",
    )
    .option('--at <time>', 'look from this time (default: now)')
    .option('--until <time>', 'go on day by day until then')
    .option('--time-zone <zone>', 'whose days count (default: of the schedule, else UTC)')
    .action(
      act(async (cli, options: SimulateOptions) => {
        let given: Given;
        if (options.schedule !== undefined) given = await fromCatalog(cli, options.schedule, options.policy);
        else if (options.policy !== undefined && options.backups !== undefined) {
          const file = options.backups;
          const text = await readInputFile(file);
          given = {
            policy: await policyOf(options.policy),
            backups: parsed(file, text, JSON.parse),
            timeZone: undefined,
          };
        } else throw new UsageError('Give --policy and --backups, or --schedule.');
        const answer = simulateRetention({
          policy: given.policy,
          backups: given.backups,
          at: options.at,
          until: options.until,
          now: new Date().toISOString(),
          timeZone: options.timeZone ?? given.timeZone,
        });
        cli.answer(answer);
        sayAnswer(cli, answer);
      }),
    );
}
