import { Command, CommanderError } from 'commander';
import { describeError } from '@catena/events';
import type { Act } from './command-line.ts';
import { addCommands } from './all-commands.ts';
import { catenaVersion } from './commands/version.ts';
import { ExitCode, generalHelp } from './exit-codes.ts';
import { nameableError } from './file-error.ts';
import { exitCodeOf, UsageError, type Invocation } from './invocation.ts';

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
  await addCommands(program, act, args);

  try {
    await program.parseAsync(['node', 'catena', ...args]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return ExitCode.done;
    // Help that was shown because a command was missing says enough.
    if (usageProblem === '') return ExitCode.usage;
    return report(usageError(usageProblem, args), wantsJson(args));
  }
  return exitCode;
}

/** What commander says of a command line that it cannot read, with its suggestion as the remedy. */
function usageError(text: string, args: readonly string[]): UsageError {
  const [problem = '', ...suggestion] = text
    .trim()
    .replace(/^error: /, '')
    .split('\n');
  const message = `${problem.charAt(0).toUpperCase()}${problem.slice(1)}`;
  return new UsageError(
    message.endsWith('.') ? message : `${message}.`,
    suggestion.length > 0 ? suggestion.join(' ').replace(/^\((.*)\)$/, '$1') : helpFor(problem, args),
  );
}

/** Where a person reads on: the help of the command, when the problem names one. */
function helpFor(problem: string, [command]: readonly string[]): string {
  return command !== undefined && problem.includes(`for '${command}'`)
    ? `What it takes is shown by "catena ${command} --help".`
    : 'See "catena help", and "--help" of each command.';
}

/** Whether a command line that could not be read asks for JSON. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? undefined : end).includes('--json');
}
