import { spawn } from 'node:child_process';
import { DeliveryFailedError } from './delivery-failed-error.ts';
import type { CloudEvent } from './cloud-event.ts';

const LIMIT_MILLISECONDS = 60_000;
const KEPT_CHARACTERS = 500;

/**
 * Runs a program with the event as a line of JSON on its standard input. Exit code 0 says that it was taken. It and what it
 * started end after a minute; our own configuration is kept from it.
 */
export async function deliverToCommand(
  command: readonly string[],
  event: CloudEvent,
  signal: AbortSignal,
  limitMilliseconds = LIMIT_MILLISECONDS,
): Promise<void> {
  const [program, ...rest] = command;
  if (program === undefined) throw new DeliveryFailedError('The command', 'it is empty', 'Name a program.');
  const ended = await run(program, rest, `${JSON.stringify(event)}\n`, signal, limitMilliseconds);
  if (ended !== undefined)
    throw new DeliveryFailedError(
      `The command ${program}`,
      ended,
      'Run it by hand with an event on its standard input.',
    );
}

/** What went wrong; nothing when it exited with 0. */
async function run(
  program: string,
  rest: readonly string[],
  input: string,
  signal: AbortSignal,
  limitMilliseconds: number,
): Promise<string | undefined> {
  const child = spawn(program, rest, {
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CATENA_'))),
  });
  const end = () => {
    if (child.pid === undefined || child.exitCode !== null) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    end();
  }, limitMilliseconds);
  signal.addEventListener('abort', end, { once: true });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-KEPT_CHARACTERS)));
  // A program need not read its input; that it does not is no failure of ours.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  try {
    return await new Promise<string | undefined>((resolve) => {
      child.once('error', (error) => resolve(`it cannot be run (${error.message})`));
      child.once('close', (code, killedBy) => {
        if (code === 0) resolve(undefined);
        else if (late) resolve(`it did not end within ${limitMilliseconds / 1_000} s`);
        else resolve(`it ended with ${code ?? killedBy}${said === '' ? '' : `: ${said.trim()}`}`);
      });
    });
  } finally {
    clearTimeout(limit);
    signal.removeEventListener('abort', end);
  }
}
