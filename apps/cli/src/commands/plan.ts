import { catalogRequests } from '@catena/events';
import {
  checkHistory,
  planHistory,
  planRestore,
  restorableOf,
  type HistoryPlan,
  type RestorePlan,
  type RestoreTarget,
} from '@catena/chain';
import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { ExitCode } from '../exit-codes.ts';
import { UsageError, type Invocation } from '../invocation.ts';
import { gather } from '../pages.ts';
import { formatBytes } from '../presentation/quantities.ts';
import { readInputFile } from '../read-input-file.ts';
import { positionOf, wholeNumber } from '../restore-place.ts';

interface PlanOptions {
  at?: string;
  position?: string;
  mark?: string;
  transaction?: string;
  fromPosition?: string;
  base?: string;
  logs: boolean;
  differentials: boolean;
  copyOnly: boolean;
  msdbHistory?: string;
  database?: string;
  check?: boolean;
}

function sayHistoryPlan(cli: Invocation, plan: HistoryPlan): void {
  cli.say(
    `${plan.availabilityGroup ?? plan.server ?? ''}${(plan.availabilityGroup ?? plan.server) ? ' / ' : ''}${plan.database}: ${plan.reachesTarget ? 'reaches the target' : 'DOES NOT REACH THE TARGET'}`,
  );
  plan.steps.forEach((step, index) => {
    const kind = `${step.type}${step.copyOnly ? ' (copy-only)' : ''}`;
    const set = step.filePosition === undefined ? '' : `, set ${step.filePosition}`;
    cli.say(`  ${index + 1}. ${kind}  ${step.id}${step.stopAt ? `  stop at ${step.stopAt}` : ''}`);
    for (const file of step.files) cli.say(`       ${file}${set}`);
  });
  if (plan.lastReachable)
    cli.say(
      `  last reachable: ${plan.lastReachable.time ?? '-'} (${plan.lastReachable.position ?? 'no position'})`,
    );
  if (plan.gap) {
    const { from, to } = plan.gap;
    cli.say(
      `  missing: from ${from.position ?? from.time} to ${to ? (to.position ?? to.time) : 'whatever came after'}`,
    );
  }
  if (plan.nextReachable)
    cli.say(
      `  next that can be had: ${plan.nextReachable.time ?? plan.nextReachable.position} (${plan.nextReachable.id})`,
    );
  for (const note of plan.notes) cli.say(`  note: ${note}`);
}

/** Offline, from another system's own records. */
async function planFromHistory(cli: Invocation, file: string, options: PlanOptions): Promise<void> {
  if (options.mark !== undefined || options.transaction !== undefined)
    throw new UsageError('A recorded history has no marks and no transactions.', 'Use --at or --position.');
  const text = await readInputFile(file);
  if (options.check) {
    const answer = checkHistory(text, { database: options.database });
    cli.answer(answer);
    for (const check of answer.checks) {
      cli.say(`${check.database}: ${check.valid ? 'one chain, restorable in this order' : 'NOT ONE CHAIN'}`);
      for (const { rule, message, ids } of check.problems) cli.say(`  ${rule}: ${message} ${ids.join(', ')}`);
    }
    if (answer.checks.some(({ valid }) => !valid)) cli.exit(ExitCode.refused);
    return;
  }
  const answer = planHistory(text, {
    database: options.database,
    at: options.at,
    position: options.position,
    fromPosition: options.fromPosition,
    base: options.base,
    noLogs: !options.logs,
    noDifferentials: !options.differentials,
    noCopyOnly: !options.copyOnly,
  });
  cli.answer(answer);
  for (const plan of answer.plans) sayHistoryPlan(cli, plan);
}

function targetOf(options: PlanOptions): RestoreTarget {
  const { at, position, mark, transaction } = options;
  const given = [at, position, mark, transaction].filter((one) => one !== undefined);
  if (given.length > 1)
    throw new UsageError('A plan has one target: --at, --position, --mark or --transaction.');
  if (options.at !== undefined) return { kind: 'at', at: options.at };
  if (options.position !== undefined) return { kind: 'position', position: positionOf(options.position) };
  if (options.mark !== undefined) return { kind: 'mark', mark: options.mark };
  if (options.transaction !== undefined)
    return { kind: 'transaction', transaction: wholeNumber(options.transaction) };
  return { kind: 'latest' };
}

function sayPlan(cli: Invocation, source: string, plan: RestorePlan): void {
  cli.say(
    `${source}: ${plan.reachesTarget ? 'reaches the target' : 'DOES NOT REACH THE TARGET'}, ${formatBytes(plan.bytes)} to read`,
  );
  plan.steps.forEach((step, index) => {
    cli.say(
      `  ${index + 1}. ${step.type}${step.copyOnly ? ' (copy-only)' : ''}  ${step.backup} in ${step.repository}, ${formatBytes(step.bytes)}${step.present ? '' : '  NOT PRESENT'}${step.stopAt ? `  stop at ${step.stopAt}` : ''}`,
    );
    for (const needed of step.needs.slice(0, -1)) cli.say(`       with ${needed.backup}`);
    if (step.keyIds.length > 0) cli.say(`       keys ${step.keyIds.join(', ')}`);
  });
  if (plan.lastReachable)
    cli.say(`  last reachable: ${plan.lastReachable.at ?? '-'} (position ${plan.lastReachable.position})`);
  if (plan.gap)
    cli.say(
      `  missing: from ${plan.gap.from.at ?? plan.gap.from.position} to ${plan.gap.to?.at ?? 'whatever came after'}`,
    );
  if (!plan.reachesTarget)
    cli.say(
      `  times that can be had: before ${plan.neighbours.before ?? '-'}, after ${plan.neighbours.after ?? '-'}`,
    );
  for (const note of plan.notes) cli.say(`  note: ${note}`);
}

async function planFromCatalog(
  cli: Invocation,
  source: string | undefined,
  options: PlanOptions,
): Promise<void> {
  if (source === undefined) throw new UsageError('Name a source, or a history with --msdb-history <file>.');
  const client = await cli.connect();
  const atLeast = await client.log.lastSequence();
  const page = await gather((after) =>
    client.ask(catalogRequests.listBackups, { source, atLeast, after, limit: 1000 }),
  );
  const plan = planRestore(page.items.map(restorableOf), targetOf(options), {
    base: options.base,
    noLogs: !options.logs,
    noDifferentials: !options.differentials,
    noCopyOnly: !options.copyOnly,
    ...(options.fromPosition === undefined ? {} : { from: { position: options.fromPosition } }),
  });
  cli.answer({ source, ...plan });
  sayPlan(cli, source, plan);
}

/** `catena plan`: which backups a restore needs, in order, and where it would stop short. Reads only. */
export function addPlan(program: Command, act: Act): void {
  subcommand(
    program,
    'plan',
    'Says which backups a restore needs, in order; also from a SQL Server history, with no service running',
    `catena plan home --at 2026-03-01T18:00:00Z
catena plan --msdb-history history.json --database Sales --at 2026-03-01T18:00:00
catena plan --msdb-history chain.json --check`,
  )
    .argument('[source]')
    .option('--at <time>', 'reach this time')
    .option('--position <position>', 'reach this position of the source (an LSN)')
    .option('--mark <name>', 'reach this mark')
    .option('--transaction <id>', 'reach the end of this transaction')
    .option('--from-position <position>', 'an interrupted restore stands here: the logs from there')
    .option('--base <id>', 'start from this backup')
    .option('--no-logs', 'use no log backups')
    .option('--no-differentials', 'use no differentials')
    .option('--no-copy-only', 'use no copy-only backups')
    .option('--msdb-history <file>', "a JSON array of rows with msdb's own column names (docs/plan.md)")
    .option('--database <name>', 'with a history: only this database')
    .option('--check', 'with a history: is the list one chain')
    .action(
      act(async (cli, source: string | undefined, options: PlanOptions) => {
        if (options.msdbHistory !== undefined) await planFromHistory(cli, options.msdbHistory, options);
        else await planFromCatalog(cli, source, options);
      }),
    );
}
