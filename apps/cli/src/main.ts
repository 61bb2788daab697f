import { openInvocation } from './open-invocation.ts';
import { runCommandLine } from './program.ts';

// A reader that went away (`catena events | head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), openInvocation);
