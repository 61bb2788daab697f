import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedError, reasonOf } from '../embedded-error.ts';
import type { ChildFolders, ChildSpec } from './child-spec.ts';
import { namesOnRecord } from './pid-file.ts';
import {
  describeExit,
  endChild,
  endSurvivor,
  startChild,
  stopChild,
  type RunningChild,
} from './running-child.ts';

/** What happens to a supervised child. Delays in milliseconds. */
export type ChildEvent =
  | { type: 'child.started'; name: string; pid: number; adopted: boolean }
  | { type: 'child.ails'; name: string; pid: number; reason: string; restarting: boolean }
  | { type: 'child.recovered'; name: string; pid: number }
  | { type: 'child.died'; name: string; pid: number; exit: string; restartInMs: number }
  | { type: 'child.restarted'; name: string; pid: number }
  | { type: 'child.restart-failed'; name: string; reason: string; retryInMs: number }
  | { type: 'child.stopped'; name: string };

/** How soon a child that died is started again. Milliseconds. */
export interface RestartPolicy {
  firstDelayMs: number;
  maxDelayMs: number;
  /** A child that lived this long starts again with the first delay. */
  calmAfterMs: number;
  /** How often a running child is asked whether it is well. */
  careEveryMs: number;
}

const DEFAULT_POLICY: RestartPolicy = {
  firstDelayMs: 200,
  maxDelayMs: 10_000,
  calmAfterMs: 30_000,
  careEveryMs: 2_000,
};

export interface SupervisorOptions {
  folders: ChildFolders;
  /** Told of everything that happens; must not throw. */
  onEvent?: (event: ChildEvent) => void;
  restart?: Partial<RestartPolicy>;
}

/**
 * Keeps programs running: adopts healthy survivors of an earlier parent, restarts what dies with growing delays, stops
 * in the opposite order of starting. Keeps this process alive while it has children.
 */
export class Supervisor {
  readonly #options: Required<Pick<SupervisorOptions, 'folders' | 'onEvent'>> & { policy: RestartPolicy };
  readonly #children = new Map<string, SupervisedChild>();
  #keepAlive: NodeJS.Timeout | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = {
      folders: options.folders,
      onEvent: options.onEvent ?? (() => undefined),
      policy: { ...DEFAULT_POLICY, ...options.restart },
    };
  }

  /** Starts or adopts a child and watches it from then on. Resolves when it is healthy; throws what {@link startChild} throws. */
  async start(spec: ChildSpec): Promise<SupervisedChild> {
    if (this.#children.has(spec.name)) throw new Error(`${spec.name} is supervised already`);
    const { folders, onEvent, policy } = this.#options;
    this.#keepAlive ??= setInterval(() => undefined, 60_000);
    const child = new SupervisedChild(spec, folders, policy, onEvent);
    this.#children.set(spec.name, child);
    try {
      await child.begin();
    } catch (error) {
      this.#forget(spec.name);
      throw error;
    }
    return child;
  }

  /** The child of that name, while it is supervised. */
  child(name: string): SupervisedChild | undefined {
    return this.#children.get(name);
  }

  /** Stops one child and no longer watches it. Throws embedded.child-not-ended. */
  async stop(name: string): Promise<void> {
    const child = this.#children.get(name);
    if (!child) return;
    await child.stop();
    this.#forget(name);
    this.#options.onEvent({ type: 'child.stopped', name });
  }

  /**
   * Ends what an earlier parent left running in these folders and nobody has adopted, each within `stopWithinMs`.
   * Returns the names. Throws embedded.child-not-ended.
   */
  async endStrangers(stopWithinMs = 30_000): Promise<string[]> {
    const strangers = namesOnRecord(this.#options.folders.run).filter((name) => !this.#children.has(name));
    const ended = await Promise.all(
      strangers.map((name) => endSurvivor({ name, stopWithinMs }, this.#options.folders)),
    );
    return strangers.filter((_, index) => ended[index]);
  }

  /** Stops every child, the last started first. Every one is tried; the first failure is thrown at the end. */
  async stopAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const name of [...this.#children.keys()].reverse()) {
      await this.stop(name).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  #forget(name: string): void {
    this.#children.delete(name);
    if (this.#children.size > 0) return;
    clearInterval(this.#keepAlive);
    this.#keepAlive = undefined;
  }
}

/** One program under supervision. */
export class SupervisedChild {
  readonly spec: ChildSpec;
  readonly #folders: ChildFolders;
  readonly #policy: RestartPolicy;
  readonly #onEvent: (event: ChildEvent) => void;
  readonly #stopping = new AbortController();
  #child: RunningChild | undefined;
  #watch: Promise<void> = Promise.resolve();
  #restarts = 0;

  constructor(
    spec: ChildSpec,
    folders: ChildFolders,
    policy: RestartPolicy,
    onEvent: (event: ChildEvent) => void,
  ) {
    this.spec = spec;
    this.#folders = folders;
    this.#policy = policy;
    this.#onEvent = onEvent;
  }

  /** The pid of the running process; undefined between a death and the restart. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How often it had to be started again. */
  get restarts(): number {
    return this.#restarts;
  }

  async begin(): Promise<void> {
    const child = await startChild(this.spec, this.#folders, this.#stopping.signal);
    this.#child = child;
    this.#onEvent({ type: 'child.started', name: this.spec.name, pid: child.pid, adopted: child.adopted });
    this.#watch = this.#keepRunning(child);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(
      new EmbeddedError(
        'embedded.stopped',
        `${this.spec.name} was stopped while it was starting`,
        'Start it again.',
      ),
    );
    await this.#watch;
    if (this.#child) await stopChild(this.#child, this.spec, this.#folders);
    this.#child = undefined;
  }

  async #keepRunning(first: RunningChild): Promise<void> {
    const stopped = new Promise<undefined>((resolve) => {
      this.#stopping.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    let delay = this.#policy.firstDelayMs;
    for (let child: RunningChild | undefined = first; child;) {
      const begun = performance.now();
      const over = new AbortController();
      void this.#careFor(child, AbortSignal.any([over.signal, this.#stopping.signal]));
      const exit = await Promise.race([child.exited, stopped]);
      over.abort();
      if (exit === undefined || this.#isStopping()) return;
      if (performance.now() - begun > this.#policy.calmAfterMs) delay = this.#policy.firstDelayMs;
      this.#child = undefined;
      const died = { name: this.spec.name, pid: child.pid, exit: describeExit(exit), restartInMs: delay };
      this.#onEvent({ type: 'child.died', ...died });
      ({ child, delay } = await this.#bringBack(delay));
    }
  }

  /** Tells what it suffers from, and ends it when a start would cure that: whoever waits for its end starts it again. */
  async #careFor(child: RunningChild, signal: AbortSignal): Promise<void> {
    const { ailment, name } = this.spec;
    if (!ailment) return;
    const { pid } = child;
    const isOver = () => signal.aborted;
    let told: string | undefined;
    for (;;) {
      await sleep(this.#policy.careEveryMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (isOver()) return;
      const found = await ailment(signal).catch(() => 'unknown' as const);
      if (isOver()) return;
      if (found === 'unknown') continue;
      if (found === undefined && told !== undefined) this.#onEvent({ type: 'child.recovered', name, pid });
      if (found && (found.reason !== told || found.restartHelps))
        this.#onEvent({
          type: 'child.ails',
          name,
          pid,
          reason: found.reason,
          restarting: found.restartHelps,
        });
      told = found?.reason;
      // One that does not end is asked, and told of, again.
      if (found?.restartHelps) await endChild(child, this.spec).catch(() => undefined);
    }
  }

  /** Tries until it runs again or is to be stopped; then there is no child. */
  async #bringBack(firstDelay: number): Promise<{ child: RunningChild | undefined; delay: number }> {
    let delay = firstDelay;
    for (;;) {
      await sleep(delay, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      delay = Math.min(delay * 2, this.#policy.maxDelayMs);
      if (this.#isStopping()) return { child: undefined, delay };
      try {
        const child = await startChild(this.spec, this.#folders, this.#stopping.signal);
        this.#child = child;
        this.#restarts += 1;
        this.#onEvent({ type: 'child.restarted', name: this.spec.name, pid: child.pid });
        return { child, delay };
      } catch (error) {
        if (this.#isStopping()) return { child: undefined, delay };
        const reason = reasonOf(error);
        this.#onEvent({ type: 'child.restart-failed', name: this.spec.name, reason, retryInMs: delay });
      }
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }
}
