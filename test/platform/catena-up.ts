import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { readEndpoints } from '@catena/embedded';
import type { CatenaClient } from '@catena/client';
import { Operator } from './operator.ts';
import { connectAs, scenarioFolder } from './test-platform.ts';

const PROGRAM = fileURLToPath(new URL('../../apps/cli/bin/catena.mjs', import.meta.url));

/** What `catena up` keeps running in a home, by the names of its pid files. */
export const CHILDREN = ['nats', 'postgres', 'chain-catalog-1', 'scheduler-1', 'mover-1'] as const;
export type ChildName = (typeof CHILDREN)[number];

/** `catena up` as a process of its own, as a person starts it: it can be killed with or without its children. */
export class CatenaUp extends Operator implements AsyncDisposable {
  readonly #environment: Readonly<Record<string, string>>;
  #process: ChildProcess;
  #messages: string[];

  private constructor(
    folder: string,
    client: CatenaClient,
    running: { process: ChildProcess; messages: string[] },
    environment: Readonly<Record<string, string>>,
  ) {
    super(folder, client);
    this.#process = running.process;
    this.#messages = running.messages;
    this.#environment = environment;
  }

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<CatenaUp> {
    const folder = scenarioFolder();
    const home = path.join(folder, 'home');
    mkdirSync(home);
    const running = await up(home, environment);
    return new CatenaUp(folder, await connectAs(readEndpoints(home)), running, environment);
  }

  /** What it has told the person since its last start. */
  get messages(): readonly string[] {
    return this.#messages;
  }

  /** Pids of everything: the parent under the name `up`, and its children. */
  get pids(): Record<ChildName | 'up', number> {
    const children = CHILDREN.map((name) => [name, pidOf(this.home, name)] as const);
    return Object.fromEntries([['up', this.#process.pid ?? 0], ...children]) as Record<
      ChildName | 'up',
      number
    >;
  }

  /** `kill -9` of these in one go; returns when the parent is gone, if it is one of them. */
  async kill9(names: readonly (ChildName | 'up')[]): Promise<void> {
    const { pids } = this;
    const gone = once(this.#process, 'exit');
    for (const name of names) {
      try {
        process.kill(pids[name], 'SIGKILL');
      } catch (error) {
        // One that was killed before it had a successor.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    if (names.includes('up')) await gone;
  }

  /** Starts it again on the same home. */
  async startAgain(): Promise<void> {
    await this.client.close();
    const running = await up(this.home, this.#environment);
    this.#process = running.process;
    this.#messages = running.messages;
    this.connectedBy(await connectAs(readEndpoints(this.home)));
  }

  /** Ctrl-C, and waits until it has ended; its exit code. */
  async stop(): Promise<number | null> {
    await this.client.close();
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGINT');
      await ended;
    }
    return this.#process.exitCode;
  }

  /** Stops everything and deletes the folder; with CATENA_TEST_KEEP=1 it stays, for a look at its logs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (process.env['CATENA_TEST_KEEP'] !== '1') rmSync(this.folder, { recursive: true, force: true });
  }
}

async function up(
  home: string,
  environment: Readonly<Record<string, string>>,
): Promise<{ process: ChildProcess; messages: string[] }> {
  const child = spawn(process.execPath, [PROGRAM, 'up', '--home', home, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const messages: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => messages.push(line));
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      messages.push(line);
      if (line.includes('"ready"')) resolve();
    });
    child.once('exit', (code, signal) =>
      reject(new Error(`catena up ended with ${code ?? signal}:\n${messages.join('\n')}`)),
    );
  });
  await ready;
  return { process: child, messages };
}

/** A child's pid file begins with its own line of /proc/self/stat. */
function pidOf(home: string, name: ChildName): number {
  const file = path.join(home, 'run', `${name}.pid`);
  return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : 0;
}
