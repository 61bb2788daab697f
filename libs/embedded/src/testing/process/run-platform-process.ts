import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import type { PlatformProcessRequest } from './platform-process.ts';

/** One line that the process has printed. */
export type PlatformProcessLine = Record<string, unknown>;

/** A process with a platform in it. */
export interface PlatformProcess {
  readonly pid: number;
  readonly lines: readonly PlatformProcessLine[];
  /** The line that says it is up, or the error it ended with. */
  readonly answer: PlatformProcessLine;
  /** Asks it to stop its platform, and waits for its end. */
  stop(): Promise<void>;
  /** `kill -9` of this process alone: its servers go on. */
  kill9(): Promise<void>;
}

/** Starts the process and waits until its platform is up or has failed. */
export async function runPlatformProcess(request: PlatformProcessRequest): Promise<PlatformProcess> {
  const script = fileURLToPath(new URL('./platform-process.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--conditions=@catena/source', '--no-warnings', script, JSON.stringify(request)],
    {
      cwd: '/',
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const ended = once(child, 'close');
  const lines: PlatformProcessLine[] = [];
  const answer = await new Promise<PlatformProcessLine>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as PlatformProcessLine;
      lines.push(line);
      if (line['up'] === true || line['error'] !== undefined) resolve(line);
    });
    void ended.then(([code, signal]) => resolve({ error: `ended with ${String(code ?? signal)}` }));
  });
  return {
    pid: child.pid ?? -1,
    lines,
    answer,
    stop: async () => {
      child.stdin.end('stop\n');
      await ended;
    },
    kill9: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
