import { waitingText, type AnyRecordedEvent, type RunRequest, type RunStatistics } from '@catena/events';
import type { CatenaClient, RunOutcome } from '@catena/client';
import { ExitCode } from './exit-codes.ts';
import type { Invocation } from './invocation.ts';
import { ProgressDisplay } from './presentation/progress-display.ts';
import { formatBytes, formatDuration, formatInstant, plural, sentence } from './presentation/quantities.ts';

/** What an event of a run means to the person who waits for it; undefined for those that say nothing new. */
export function describeStep(event: AnyRecordedEvent): string | undefined {
  switch (event.type) {
    case 'run.planned': {
      const { plan } = event.data;
      if (plan.kind !== 'backup') return undefined;
      const lineage = plan.parent ? ` on ${plan.parent}` : plan.base ? ` on ${plan.base}` : '';
      return `planned: ${plan.type}${plan.copyOnly ? ', copy-only' : ''}${lineage}${plan.reason ? ` (${plan.reason})` : ''}`;
    }
    case 'run.waiting':
      return waitingText(event.data);
    case 'run.claimed':
      return `attempt ${event.data.attempt} by ${event.data.mover}`;
    case 'run.released':
      return `handed back by ${event.data.mover}: ${event.data.reason}`;
    case 'run.alarmed':
      return `ALARM ${event.data.alarm.code}: ${event.data.alarm.message}${event.data.remedy === undefined ? '' : ` ${event.data.remedy}`}`;
    case 'run.attempt-failed':
      return `attempt ${event.data.attempt} failed: ${sentence(event.data.failure.message)} Next try at ${formatInstant(event.data.retryAt)}.${event.data.failure.remedy === undefined ? '' : `\n    ${event.data.failure.remedy}`}`;
    case 'run.cancel-requested':
      return `cancel requested${event.data.reason ? `: ${event.data.reason}` : ''}`;
    default:
      return undefined;
  }
}

type RunKind = RunRequest['kind'];

/** What a run has done; its figures count other things for each kind of run. */
function describeWork(kind: RunKind | undefined, statistics: RunStatistics): string {
  const { files, bytes, bytesRead, bytesAdded } = statistics;
  if (kind === 'verify') return `${plural(files, 'object')}, ${formatBytes(bytesRead)} read back`;
  if (kind === 'sweep' || kind === 'prune')
    return `${plural(files, 'object')}, ${formatBytes(bytes)} removed`;
  if (kind === 'compose')
    return `${plural(files, 'file')}, ${formatBytes(bytes)} composed; ${formatBytes(bytesAdded)} written, nothing read from the source`;
  if (kind === 'rescan') return `${plural(files, 'manifest')} read`;
  return `${plural(files, 'file')}, ${formatBytes(bytes)}; ${formatBytes(bytesRead)} read, ${formatBytes(bytesAdded)} written`;
}

/** How a run ended, in a sentence. */
export function describeOutcome(outcome: RunOutcome, kind?: RunKind): string {
  switch (outcome.state) {
    case 'completed':
    case 'completedWithWarnings': {
      const { statistics, warningCount } = outcome.event.data;
      const warnings = warningCount > 0 ? ` with ${plural(warningCount, 'warning')}` : '';
      return `completed${warnings}: ${describeWork(kind, statistics)} in ${formatDuration(statistics.milliseconds)}`;
    }
    case 'failed':
    case 'refused':
      return `${outcome.state} (${outcome.failure.code}): ${outcome.failure.message}${outcome.failure.remedy ? `\n  ${outcome.failure.remedy}` : ''}`;
    case 'cancelled':
      return 'cancelled; nothing half-made counts';
  }
}

const exitCodes: Record<RunOutcome['state'], ExitCode> = {
  completed: ExitCode.done,
  completedWithWarnings: ExitCode.doneWithWarnings,
  failed: ExitCode.runFailed,
  refused: ExitCode.refused,
  cancelled: ExitCode.runFailed,
};

const WARNINGS_SHOWN = 20;

/** Waits for a run while showing it, says how it ended and sets the exit code; answers nothing. */
export async function watchToTheEnd(cli: Invocation, client: CatenaClient, run: string): Promise<RunOutcome> {
  const display = new ProgressDisplay(process.stderr);
  let kind: RunKind | undefined;
  cli.say(run);
  const outcome = await client.followRun(run, {
    signal: cli.signal,
    onProgress: (progress) => {
      if (!cli.json) display.show(progress);
    },
    onEvent: (event) => {
      if (event.type === 'run.requested') kind = event.data.request.kind;
      const step = describeStep(event);
      if (step === undefined || cli.json) return;
      display.clear();
      cli.say(`  ${step}`);
    },
  });
  display.clear();
  const isDone = outcome.state === 'completed' || outcome.state === 'completedWithWarnings';
  const end = `  ${describeOutcome(outcome, kind)}`;
  if (isDone) cli.say(end);
  else cli.remark(end);
  if (outcome.state === 'completedWithWarnings') {
    const { warnings, warningCount } = outcome.event.data;
    for (const warning of warnings.slice(0, WARNINGS_SHOWN))
      cli.remark(`  warning ${warning.code}: ${warning.message}`);
    if (warningCount > WARNINGS_SHOWN)
      cli.remark(`  … and ${warningCount - WARNINGS_SHOWN} more; see "catena runs ${run}"`);
  }
  cli.exit(exitCodes[outcome.state]);
  return outcome;
}

/** The answer for programs about a run that is over. */
export function runAnswer(run: string, outcome: RunOutcome) {
  return { run, state: outcome.state, event: outcome.event.data };
}

/** Waits for a run while showing it, and answers how it ended. */
export async function followToTheEnd(
  cli: Invocation,
  client: CatenaClient,
  run: string,
): Promise<RunOutcome> {
  const outcome = await watchToTheEnd(cli, client, run);
  cli.answer(runAnswer(run, outcome));
  return outcome;
}
