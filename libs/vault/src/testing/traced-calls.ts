import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** One call to the system that came back, and on which lines of the trace it began and ended. */
export interface TracedCall {
  readonly name: 'write' | 'sync' | 'link' | 'mkdir' | 'unlink' | 'rename';
  /** Absolute; for a link the new name. */
  readonly file: string;
  /** For a link: the name that was there. */
  readonly from?: string;
  readonly begun: number;
  readonly done: number;
  /** The error's name; absent when it went well. */
  readonly error?: string;
}

const NAMES: Readonly<Record<string, TracedCall['name']>> = {
  ...{ write: 'write', pwrite64: 'write', writev: 'write', pwritev: 'write', pwritev2: 'write' },
  ...{ fsync: 'sync', fdatasync: 'sync', link: 'link', linkat: 'link', mkdir: 'mkdir', mkdirat: 'mkdir' },
  ...{ unlink: 'unlink', unlinkat: 'unlink', rename: 'rename', renameat: 'rename', renameat2: 'rename' },
};

/** Whether strace is there and may trace: a container may forbid it, and not everybody may install it. */
export function canTrace(): boolean {
  return spawnSync('strace', ['-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0;
}

/**
 * Runs a program under strace and tells its calls that change files, in order.
 * @throws Error when strace is not there or may not trace; `npm test` installs it where it may.
 */
export function traced(
  program: readonly string[],
  env: NodeJS.ProcessEnv,
): { calls: TracedCall[]; output: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'catena-trace-'));
  const trace = path.join(folder, 'trace');
  try {
    const options = ['-f', '-y', '-s', '0', '-e', `trace=${Object.keys(NAMES).join(',')}`, '-o', trace];
    // Calls that go through a ring cannot be traced.
    const environment = { ...env, UV_USE_IO_URING: '0' };
    const { status, error, stderr, stdout } = spawnSync('strace', [...options, ...program], {
      env: environment,
      encoding: 'utf8',
    });
    if (error !== undefined || status !== 0)
      throw new Error(
        `strace could not trace ${program.join(' ')}: ${error?.message ?? stderr}. Install Debian's package strace and allow ptrace.`,
      );
    return { calls: parse(readFileSync(trace, 'utf8')), output: stdout };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function parse(text: string): TracedCall[] {
  const calls: TracedCall[] = [];
  const unfinished = new Map<string, { begun: number; text: string }>();
  for (const [line, content] of text.split('\n').entries()) {
    const [, thread, rest] = /^(\d+)\s+(.*)$/.exec(content) ?? [];
    if (thread === undefined || rest === undefined) continue;
    const begins = /^(.*) <unfinished \.\.\.>$/.exec(rest);
    if (begins?.[1] !== undefined) {
      unfinished.set(thread, { begun: line, text: begins[1] });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const open = unfinished.get(thread);
    const call =
      resumed?.[1] !== undefined && open !== undefined
        ? callOf(open.text + resumed[1], open.begun, line)
        : callOf(rest, line, line);
    if (resumed !== null) unfinished.delete(thread);
    if (call !== undefined) calls.push(call);
  }
  return calls;
}

function callOf(text: string, begun: number, done: number): TracedCall | undefined {
  const [, system, rest = ''] = /^(\w+)\((.*)$/s.exec(text) ?? [];
  const name = system === undefined ? undefined : NAMES[system];
  if (name === undefined) return undefined;
  const failed = /= -1 (\w+)/.exec(rest)?.[1];
  const about = { name, begun, done, ...(failed === undefined ? {} : { error: failed }) };
  if (name === 'write' || name === 'sync') {
    const file = /^\d+<([^>]*)>/.exec(rest)?.[1];
    return file === undefined ? undefined : { ...about, file };
  }
  const paths = [...rest.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? '');
  const file = paths.at(-1);
  if (file === undefined) return undefined;
  return { ...about, file, ...(paths.length > 1 ? { from: paths[0]! } : {}) };
}
