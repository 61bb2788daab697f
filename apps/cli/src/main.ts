import { ExitCode, isRecovery, toldToRecovery } from './exit-codes.ts';
import { openInvocation } from './open-invocation.ts';
import { runCommandLine } from './program.ts';

const args = process.argv.slice(2);
const codeOf = isRecovery(args) ? toldToRecovery : (code: ExitCode): number => code;

// A reader that went away (`catena events | head`) is no error of ours, but a recovery must not take it for success.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(isRecovery(args) ? ExitCode.recoveryMustStop : ExitCode.done);
  throw error;
});

process.exitCode = codeOf(await runCommandLine(args, openInvocation));
