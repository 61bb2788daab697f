import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MILLISECONDS } from '../platform/operator.ts';

const program = fileURLToPath(new URL('../../apps/cli/bin/catena.mjs', import.meta.url));
const compileCache = fileURLToPath(new URL('../../node_modules/.cache/catena-scenarios', import.meta.url));

/** What one call of `catena` left behind. */
export class Answer {
  readonly line: string;
  readonly code: number;
  readonly out: string;
  readonly err: string;

  constructor(line: string, code: number, out: string, err: string) {
    this.line = line;
    this.code = code;
    this.out = out;
    this.err = err;
  }

  /** The one JSON document of an answer; the test fails with everything that was said when it is not one. */
  json<T = Record<string, unknown>>(): T {
    try {
      return JSON.parse(this.out) as T;
    } catch (cause) {
      throw new Error(`${this.line} did not answer with one JSON document:\n${this.out}\n${this.err}`, {
        cause,
      });
    }
  }

  /** The documents of an answer that has one on each line. */
  jsonLines<T = Record<string, unknown>>(): T[] {
    return this.out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as T);
  }

  /** What was refused, from an answer with --json. */
  get error(): { code: string; message: string; remedy?: string } {
    return this.json<{ error: { code: string; message: string; remedy?: string } }>().error;
  }
}

/** A program that was started and may still run: a call of `catena`, or another. */
export class RunningProgram {
  readonly child: ChildProcess;
  readonly ended: Promise<Answer>;
  #out = '';
  #err = '';
  readonly #line: string;
  readonly #waiting = new Set<() => void>();

  constructor(child: ChildProcess, line: string) {
    this.child = child;
    this.#line = line;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#out += text;
      this.#look();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#err += text));
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        resolve(new Answer(line, code ?? (signal === 'SIGKILL' ? 137 : 1), this.#out, this.#err));
        this.#look();
      });
    });
  }

  get out(): string {
    return this.#out;
  }

  /** Waits until something stands on standard output; the answer is what the pattern found. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = AbortSignal.timeout(PATIENCE_MILLISECONDS);
    for (;;) {
      const found = pattern.exec(this.#out);
      if (found) return found;
      const over = this.child.exitCode !== null || this.child.signalCode !== null || deadline.aborted;
      if (over) throw new Error(`${this.#line} did not say ${String(pattern)}:\n${this.#out}\n${this.#err}`);
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        deadline.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  #look(): void {
    for (const resume of this.#waiting) resume();
    this.#waiting.clear();
  }
}

/** The command line as a person uses it: the compiled program, a process for each call. */
export class CatenaCommand {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #folder: string;

  /**
   * @param home the data folder that every call is about
   * @param options `folder`: where it is called; `environment`: what it is told beside the data folder
   */
  constructor(
    home: string,
    options: { folder?: string; environment?: Readonly<Record<string, string>> } = {},
  ) {
    const inherited = Object.entries(process.env).filter(
      // Jest's own options for node are not for the program.
      ([name]) => (!name.startsWith('CATENA_') || name === 'CATENA_CACHE') && name !== 'NODE_OPTIONS',
    );
    this.#folder = options.folder ?? process.cwd();
    this.#environment = {
      ...Object.fromEntries(inherited),
      // Many short processes of one program: what node compiled once need not be compiled again.
      NODE_COMPILE_CACHE: compileCache,
      CATENA_HOME: home,
      ...options.environment,
    };
  }

  /** Begins a call. */
  start(...args: readonly string[]): RunningProgram {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: this.#folder,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new RunningProgram(child, `catena ${args.join(' ')}`);
  }

  /** Makes a call and waits for its end, whatever it is. */
  run(...args: readonly string[]): Promise<Answer> {
    return this.start(...args).ended;
  }

  /** Makes a call that must end well, with --json, and answers what it answered. */
  async ask<T = Record<string, unknown>>(...args: readonly string[]): Promise<T> {
    const answer = await this.run(...args, '--json');
    if (answer.code !== 0)
      throw new Error(`${answer.line} ended with ${answer.code}:\n${answer.out}\n${answer.err}`);
    return answer.json<T>();
  }

  /** Makes a call that must be refused, with --json. */
  async refused(...args: readonly string[]): Promise<Answer['error'] & { exit: number }> {
    const answer = await this.run(...args, '--json');
    if (answer.code === 0) throw new Error(`${answer.line} was not refused:\n${answer.out}`);
    return { ...answer.error, exit: answer.code };
  }
}
