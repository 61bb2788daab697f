import { spawn } from 'node:child_process';

/** How to run a short-lived command. Times in milliseconds. */
export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string;
  user?: { uid: number; gid: number };
  timeoutMs: number;
}

/** What a command left behind. `code` is null when it was ended by a signal or never started. */
export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a command to its end and collects its output. Never throws for a command that fails or is missing: see `code`. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      uid: options.user?.uid,
      gid: options.user?.gid,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    const limit = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    const finish = (code: number | null, reason?: string) => {
      clearTimeout(limit);
      resolve({
        code,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8') + (reason ?? ''),
      });
    };
    child.once('error', (error) => finish(null, error.message));
    child.once('close', (code, signal) => finish(code, signal ? `ended by ${signal}` : undefined));
    // A command that does not read its input closes the pipe; its exit code is what counts.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}
