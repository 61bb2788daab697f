import { Command, CommanderError } from 'commander';
import { describeError } from '@catena/events';
import type { Act } from './command-line.ts';
import { addApply } from './commands/apply.ts';
import { addBackup } from './commands/backup.ts';
import { addBackups } from './commands/backups.ts';
import { addCancel } from './commands/cancel.ts';
import { addCatalog } from './commands/catalog.ts';
import { addChains } from './commands/chains.ts';
import { addCompletion } from './commands/completion.ts';
import { addDeadLetters } from './commands/dead-letters.ts';
import { addDescribe } from './commands/describe.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvents } from './commands/events.ts';
import { addGet } from './commands/get.ts';
import { addKey } from './commands/key.ts';
import { addLog } from './commands/log.ts';
import { addLs } from './commands/ls.ts';
import { addQuickstart } from './commands/quickstart.ts';
import { addRestore } from './commands/restore.ts';
import { addRuns } from './commands/runs.ts';
import { addScheduleCommands } from './commands/schedules.ts';
import { addStatus } from './commands/status.ts';
import { addUp } from './commands/up.ts';
import { addVerify } from './commands/verify.ts';
import { addVersion } from './commands/version.ts';
import { ExitCode, exitCodeHelp } from './exit-codes.ts';
import { exitCodeOf, type Invocation } from './invocation.ts';

/** In the order in which a newcomer needs them; help shows them so. */
const commands = [
  addQuickstart,
  addUp,
  addStatus,
  addApply,
  addGet,
  addDescribe,
  addScheduleCommands,
  addBackup,
  addBackups,
  addChains,
  addRuns,
  addRestore,
  addLs,
  addVerify,
  addKey,
  addCancel,
  addEvents,
  addCatalog,
  addLog,
  addDeadLetters,
  addDoctor,
  addCompletion,
  addVersion,
];

/** How one call reaches the world; given by main, replaced in nothing but main. */
export type OpenInvocation = (options: { json: boolean; home: string | undefined }) => {
  invocation: Invocation;
  /** Ends connections and answers the exit code. */
  close: () => Promise<ExitCode>;
};

function report(error: unknown, json: boolean): ExitCode {
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
        exitCode = report(error, invocation.json);
      }
    };

  const program = new Command('catena')
    .description('Backups by schedule, chains you can see, restores that are proven.')
    .addHelpText('after', exitCodeHelp)
    .showSuggestionAfterError()
    .exitOverride()
    .helpCommand('help [command]', 'shows help for a command');
  for (const add of commands) add(program, act);
  overrideExits(program);

  try {
    await program.parseAsync(['node', 'catena', ...args]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? ExitCode.done : ExitCode.usage;
  }
  return exitCode;
}

/** Commander ends the process by itself unless every command is told not to. */
function overrideExits(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride().showSuggestionAfterError();
    overrideExits(child);
  }
}
