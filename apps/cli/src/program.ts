import { Command, CommanderError } from 'commander';
import { describeError } from '@catena/events';
import type { Act } from './command-line.ts';
import { addAccept } from './commands/accept.ts';
import { addApply } from './commands/apply.ts';
import { addBackfill } from './commands/backfill.ts';
import { addBackup } from './commands/backup.ts';
import { addBackups } from './commands/backups.ts';
import { addCancel } from './commands/cancel.ts';
import { addCatalog } from './commands/catalog.ts';
import { addChains } from './commands/chains.ts';
import { addCompletion } from './commands/completion.ts';
import { addDeadLetters } from './commands/dead-letters.ts';
import { addHistory, addRollback } from './commands/definition-history.ts';
import { addDelete } from './commands/delete.ts';
import { addDescribe } from './commands/describe.ts';
import { addDiff } from './commands/diff.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvents } from './commands/events.ts';
import { addExplain } from './commands/explain.ts';
import { addGet } from './commands/get.ts';
import { addKeep } from './commands/keep.ts';
import { addKey } from './commands/key.ts';
import { addLog } from './commands/log.ts';
import { addMount } from './commands/mount.ts';
import { addServe } from './commands/serve.ts';
import { addFind } from './commands/find.ts';
import { addCat } from './commands/cat.ts';
import { addLs } from './commands/ls.ts';
import { addPlan } from './commands/plan.ts';
import { addPreview } from './commands/preview.ts';
import { addQuickstart } from './commands/quickstart.ts';
import { addRestore } from './commands/restore.ts';
import { addRuns } from './commands/runs.ts';
import { addScheduleCommands } from './commands/schedules.ts';
import { addSimulate } from './commands/simulate.ts';
import { addStatus } from './commands/status.ts';
import { addSweep } from './commands/sweep.ts';
import { addUp } from './commands/up.ts';
import { addVerify } from './commands/verify.ts';
import { addVersion, catenaVersion } from './commands/version.ts';
import { ExitCode, generalHelp } from './exit-codes.ts';
import { nameableError } from './file-error.ts';
import { exitCodeOf, UsageError, type Invocation } from './invocation.ts';

/** In the order in which a newcomer needs them; help shows them so, under these headings. */
const commands: readonly (readonly [
  heading: string,
  add: readonly ((program: Command, act: Act) => void)[],
])[] = [
  ['Get going:', [addQuickstart, addUp, addStatus, addDoctor]],
  ['What to protect:', [addApply, addGet, addDescribe, addHistory, addRollback, addDelete]],
  ['When:', [addScheduleCommands, addPreview, addBackfill]],
  ['Backups:', [addBackup, addBackups, addChains, addVerify, addExplain, addKeep, addSimulate, addAccept]],
  ['Getting data back:', [addRestore, addFind, addLs, addCat, addServe, addMount, addDiff, addPlan]],
  ['What happens:', [addRuns, addCancel, addEvents, addDeadLetters]],
  ['Keys, catalog and log:', [addKey, addCatalog, addLog, addSweep]],
  ['More:', [addCompletion, addVersion]],
];

/** How one call reaches the world; given by main, replaced in nothing but main. */
export type OpenInvocation = (options: { json: boolean; home: string | undefined }) => {
  invocation: Invocation;
  /** Ends connections and answers the exit code. */
  close: () => Promise<ExitCode>;
};

function report(thrown: unknown, json: boolean): ExitCode {
  const error = nameableError(thrown);
  const description = describeError(error);
  if (json) process.stdout.write(`${JSON.stringify({ error: description })}\n`);
  else {
    process.stderr.write(`catena: ${description.message}\n`);
    if (description.remedy) process.stderr.write(`  ${description.remedy}\n`);
    process.stderr.write(`  (${description.code})\n`);
    if (description.code === 'internal.unexpected' && error instanceof Error && process.env['CATENA_DEBUG']) {
      process.stderr.write(`${error.stack}\n`);
    }
  }
  return exitCodeOf(error);
}

/**
 * Runs one command line.
 * @returns the exit code; everything that goes wrong is said on standard error, or as JSON with --json.
 */
export async function runCommandLine(args: readonly string[], open: OpenInvocation): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.done;
  const act: Act =
    <A extends unknown[]>(action: (invocation: Invocation, ...args: A) => Promise<void>) =>
    async (...parameters: unknown[]) => {
      const command = parameters.pop() as Command;
      const options = command.opts<{ json?: boolean; home?: string }>();
      const { invocation, close } = open({ json: options.json ?? false, home: options.home });
      try {
        // Commander passes what the command declares; the command's own signature says what that is.
        await action(invocation, ...(parameters as A));
        exitCode = await close();
      } catch (error) {
        await close();
        // Whoever interrupted it knows why it ended.
        const isInterrupted =
          invocation.signal.aborted && error instanceof Error && error.name === 'AbortError';
        exitCode = isInterrupted ? ExitCode.interrupted : report(error, invocation.json);
      }
    };

  let usageProblem = '';
  const program = new Command('catena')
    .description('Backups by schedule, chains you can see, restores that are proven.')
    .version(catenaVersion(), '-V, --version', 'shows the version')
    .addHelpText('after', generalHelp)
    .configureOutput({ outputError: (text) => (usageProblem = text) })
    .showSuggestionAfterError()
    .exitOverride()
    .helpOption('-h, --help', 'shows help')
    .helpCommand('help [command]', 'shows help for a command');
  for (const [heading, adders] of commands) {
    program.commandsGroup(heading);
    for (const add of adders) add(program, act);
  }

  try {
    await program.parseAsync(['node', 'catena', ...args]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return ExitCode.done;
    // Help that was shown because a command was missing says enough.
    if (usageProblem === '') return ExitCode.usage;
    return report(usageError(usageProblem), wantsJson(args));
  }
  return exitCode;
}

/** What commander says of a command line that it cannot read, with its suggestion as the remedy. */
function usageError(text: string): UsageError {
  const [problem = '', ...suggestion] = text
    .trim()
    .replace(/^error: /, '')
    .split('\n');
  const message = `${problem.charAt(0).toUpperCase()}${problem.slice(1)}`;
  return new UsageError(
    message.endsWith('.') ? message : `${message}.`,
    suggestion.length > 0
      ? suggestion.join(' ').replace(/^\((.*)\)$/, '$1')
      : 'See "catena help", and "--help" of each command.',
  );
}

/** Whether a command line that could not be read asks for JSON. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? undefined : end).includes('--json');
}
