import { ExitCode } from './exit-codes.ts';
import { openInvocation } from './open-invocation.ts';
import { runCommandLine } from './program.ts';

// A reader that went away (`catena events | head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const args = process.argv.slice(2);
const code = await runCommandLine(args, openInvocation);
// Were a recovery told of wrong usage with a small number, it would take the log for complete.
const isRecovery = args[0] === 'wal' && args[1] === 'fetch';
process.exitCode = isRecovery && code === ExitCode.usage ? ExitCode.recoveryMustStop : code;
