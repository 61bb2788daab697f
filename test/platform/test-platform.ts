import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serviceProcess, startEverything, type Instances, type ServiceName } from '@catena/cli/platform';
import { connectCatena, type CatenaClient } from '@catena/client';
import type { Endpoints, Platform, PlatformEvent } from '@catena/embedded';
import { Operator, until } from './operator.ts';

export interface TestPlatformOptions {
  /** A folder to continue; default: one of its own. */
  readonly folder?: string;
  /** How many processes of each service; default one of each. */
  readonly instances?: Instances;
  /** What every service is told beyond the defaults. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Lets a test make its data folder before anything starts in it. */
  readonly prepare?: (home: string) => void;
}

/** A whole platform of real processes in a folder of its own: what a scenario acts on. */
export class TestPlatform extends Operator implements AsyncDisposable {
  readonly platform: Platform;
  /** What the supervisor reported since the start: deaths, restarts. */
  readonly happenings: readonly PlatformEvent[];
  readonly #environment: Readonly<Record<string, string>>;
  #crashes = 0;

  private constructor(parts: {
    folder: string;
    platform: Platform;
    client: CatenaClient;
    happenings: PlatformEvent[];
    environment: Readonly<Record<string, string>>;
  }) {
    super(parts.folder, parts.client);
    this.platform = parts.platform;
    this.happenings = parts.happenings;
    this.#environment = parts.environment;
  }

  /** Starts servers and services; a given folder is continued. */
  static async start(options: TestPlatformOptions = {}): Promise<TestPlatform> {
    const folder = options.folder ?? scenarioFolder();
    const home = path.join(folder, 'home');
    mkdirSync(home, { recursive: true });
    options.prepare?.(home);
    const happenings: PlatformEvent[] = [];
    const environment = options.environment ?? {};
    const platform = await startEverything({
      home,
      onEvent: (event) => happenings.push(event),
      environment,
      ...(options.instances ? { instances: options.instances } : {}),
    });
    const client = await connectAs(platform.endpoints);
    return new TestPlatform({ folder, platform, happenings, environment, client });
  }

  /** Starts one more process of a service, for example with a crash point in its environment. */
  async startService(
    service: ServiceName,
    instance: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await this.platform.supervisor.start(
      serviceProcess(service, instance, this.platform, { ...this.#environment, ...environment }),
    );
  }

  /**
   * Replaces a process of a service by one that dies at a crash point, once: it is started again as any that dies.
   * With `signal` it gets that one instead of SIGKILL. Answers the marker file that is there from that moment on.
   */
  async doom(
    service: ServiceName,
    instance: string,
    point: string,
    options: { signal?: 'SIGKILL' | 'SIGSTOP' | 'SIGTERM' } = {},
  ): Promise<string> {
    const marker = path.join(
      this.place('crashes'),
      `${instance}-${point.replace(':', '-')}-${++this.#crashes}`,
    );
    await this.stopService(instance);
    await this.startService(service, instance, {
      CATENA_CRASH_AT: point,
      CATENA_CRASH_ONCE: marker,
      CATENA_CRASH_SIGNAL: options.signal ?? 'SIGKILL',
    });
    return marker;
  }

  /**
   * Waits until a process that was doomed with SIGSTOP stands still: it makes the marker a moment before, and a SIGCONT
   * that comes in between would be lost.
   */
  async standsStill(instance: string, marker: string): Promise<void> {
    const stopped = () => / T [^)]*$/.test(readFileSync(`/proc/${this.pidOf(instance)}/stat`, 'utf8'));
    await until(`${instance} stands still: ${marker}`, () => existsSync(marker) && stopped());
  }

  /** Stops a service the way a system does, SIGTERM first. */
  async stopService(instance: string): Promise<void> {
    await this.platform.supervisor.stop(instance);
  }

  /** The pid of a supervised process: `nats`, `postgres`, `mover-1`, … */
  pidOf(name: string): number {
    const pid = this.platform.supervisor.child(name)?.pid;
    if (pid === undefined) throw new Error(`${name} does not run`);
    return pid;
  }

  kill9(name: string): void {
    process.kill(this.pidOf(name), 'SIGKILL');
  }

  /** Stops everything and keeps the folder, so that a second start can continue it. */
  async stop(): Promise<void> {
    await this.client.close();
    await this.platform.stop();
  }

  /** Stops everything and deletes the folder; with CATENA_TEST_KEEP=1 it stays, for a look at its logs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (process.env['CATENA_TEST_KEEP'] !== '1') rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A folder for the data of one scenario. Others may enter it, so that PostgreSQL's user gets through when root tests. */
export function scenarioFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'catena-scenario-'));
  chmodSync(folder, 0o711);
  return folder;
}

/** Connects the way the command line does. */
export function connectAs(endpoints: Endpoints): Promise<CatenaClient> {
  return connectCatena({
    url: endpoints.nats.url,
    ...(endpoints.nats.users.client ?? {}),
    name: 'catena:scenario',
  });
}
