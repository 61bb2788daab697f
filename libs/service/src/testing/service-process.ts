import { spawn, type ChildProcess } from 'node:child_process';
import { eventually } from './eventually.ts';

/** One service as a process of its own. With `CATENA_TEST_LOG=1` what it says is shown. */
export class ServiceProcess {
  /** How it ended: an exit code or a signal. */
  readonly ended: Promise<number | string>;
  readonly #child: ChildProcess;
  #said = '';
  #complained = '';

  /** @param program the module that it runs */
  constructor(program: string, environment: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [program], {
      env: {
        PATH: process.env['PATH'],
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#said += chunk.toString();
      show(chunk);
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#complained += chunk.toString();
      show(chunk);
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What it has logged so far, as one text. */
  get said(): string {
    return this.#said;
  }

  /** What came on standard error. */
  get complained(): string {
    return this.#complained;
  }

  async started(): Promise<this> {
    await eventually('the service to start', () => this.#said.includes('"event":"started"'));
    return this;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends it by a signal, also when it stands still; answers how it ended. By default it is asked to stop. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    this.signal('SIGCONT');
    this.signal(signal);
    return await this.ended;
  }
}

function show(chunk: Buffer): void {
  if (process.env['CATENA_TEST_LOG'] === '1') process.stderr.write(chunk);
}
