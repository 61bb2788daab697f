import type { ChildFolders, ChildSpec } from '../process/child-spec.ts';
import { killChild, startChild, stopChild, type RunningChild } from '../process/running-child.ts';
import { findFreePort } from '../free-port.ts';
import { EmbeddedError } from '../embedded-error.ts';

/** A throw-away server that tests may kill and bring back. */
export class TestServer {
  readonly #folders: ChildFolders;
  readonly #spec: ChildSpec;
  #child: RunningChild;

  private constructor(spec: ChildSpec, folders: ChildFolders, child: RunningChild) {
    this.#spec = spec;
    this.#folders = folders;
    this.#child = child;
  }

  /** Starts on a free port; another one is taken when somebody was faster. */
  static async start(
    specFor: (ports: [number, number]) => ChildSpec,
    folders: ChildFolders,
  ): Promise<TestServer> {
    for (let attempt = 1; ; attempt++) {
      const spec = specFor([await findFreePort(), await findFreePort()]);
      try {
        return new TestServer(spec, folders, await startChild(spec, folders, new AbortController().signal));
      } catch (error) {
        const portTaken =
          error instanceof EmbeddedError &&
          /address already in use|Address already in use/.test(String(error.details?.['tail']));
        if (!portTaken || attempt === 5) throw error;
      }
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  get port(): number {
    return this.#spec.port ?? 0;
  }

  /** Kills the server as a power cut of its process would, and waits until it is gone. */
  async kill9(): Promise<void> {
    await killChild(this.#child, this.#spec);
  }

  /** Stops the server the way it wants to be stopped. Its data stays. */
  async stop(): Promise<void> {
    await stopChild(this.#child, this.#spec, this.#folders);
  }

  /** Starts the server again on the same port with the same data, after {@link kill9} or {@link stop}. */
  async restart(): Promise<void> {
    this.#child = await startChild(this.#spec, this.#folders, new AbortController().signal);
  }

  /** Ends the server quickly, without care for its data. */
  async end(): Promise<void> {
    await stopChild(this.#child, { ...this.#spec, stopSignal: 'SIGKILL' }, this.#folders);
  }
}
