import type { AnyRecordedEvent } from '@catena/events';
import type { CatenaClient, RunOutcome } from '@catena/client';
import { ExitCode } from './exit-codes.ts';
import type { Invocation } from './invocation.ts';
import { ProgressDisplay } from './presentation/progress-display.ts';
import { formatBytes, formatDuration } from './presentation/quantities.ts';

/** What an event of a run means to the person who waits for it; undefined for those that say nothing new. */
export function describeStep(event: AnyRecordedEvent): string | undefined {
  switch (event.type) {
    case 'run.planned': {
      const { plan } = event.data;
      if (plan.kind !== 'backup') return undefined;
      const lineage = plan.parent ? ` on ${plan.parent}` : plan.base ? ` on ${plan.base}` : '';
      return `planned: ${plan.type}${plan.copyOnly ? ', copy-only' : ''}${lineage}${plan.reason ? ` (${plan.reason})` : ''}`;
    }
    case 'run.claimed':
      return `attempt ${event.data.attempt} by ${event.data.mover}`;
    case 'run.released':
      return `handed back by ${event.data.mover}: ${event.data.reason}`;
    case 'run.attempt-failed':
      return `attempt ${event.data.attempt} failed: ${event.data.failure.message} Next try at ${event.data.retryAt}.`;
    case 'run.cancel-requested':
      return 'cancel requested';
    default:
      return undefined;
  }
}

/** How a run ended, in a sentence. */
export function describeOutcome(outcome: RunOutcome): string {
  switch (outcome.state) {
    case 'completed':
    case 'completedWithWarnings': {
      const { statistics, warningCount } = outcome.event.data;
      const warnings = outcome.state === 'completedWithWarnings' ? `, ${warningCount} warnings` : '';
      return `${outcome.state === 'completed' ? 'completed' : 'completed with warnings'}: ${statistics.files} files, ${formatBytes(statistics.bytes)}, ${formatBytes(statistics.bytesRead)} read, ${formatBytes(statistics.bytesAdded)} written in ${formatDuration(statistics.milliseconds)}${warnings}`;
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

/** Waits for a run while showing it, then says how it ended and sets the exit code. */
export async function followToTheEnd(
  cli: Invocation,
  client: CatenaClient,
  run: string,
): Promise<RunOutcome> {
  const display = new ProgressDisplay(process.stderr);
  cli.say(run);
  const outcome = await client.followRun(run, {
    signal: cli.signal,
    onProgress: (progress) => {
      if (!cli.json) display.show(progress);
    },
    onEvent: (event) => {
      const step = describeStep(event);
      if (step === undefined || cli.json) return;
      display.clear();
      cli.say(`  ${step}`);
    },
  });
  display.clear();
  cli.say(`  ${describeOutcome(outcome)}`);
  if (outcome.state === 'completedWithWarnings') {
    for (const warning of outcome.event.data.warnings.slice(0, 20))
      cli.remark(`  warning ${warning.code} ${warning.path ?? ''}: ${warning.message}`);
  }
  cli.answer({ run, state: outcome.state, event: outcome.event.data });
  cli.exit(exitCodes[outcome.state]);
  return outcome;
}
