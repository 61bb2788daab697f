import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serviceProcess, startEverything, type Instances, type ServiceName } from '@catena/cli/platform';
import { connectCatena, type CatenaClient, type RunOutcome } from '@catena/client';
import type { Platform, PlatformEvent } from '@catena/embedded';
import {
  catalogRequests,
  freshId,
  schedulerRequests,
  type AnyRecordedEvent,
  type BackupType,
  type BackupView,
  type Cadence,
  type EventType,
} from '@catena/events';

/** How long any one wait may last before the test is told what it waited for. */
const PATIENCE_MILLISECONDS = 60_000;

/** A whole platform of real processes in a folder of its own: what a scenario acts on. */
export class TestPlatform implements AsyncDisposable {
  readonly folder: string;
  readonly home: string;
  readonly platform: Platform;
  readonly client: CatenaClient;
  /** What the supervisor reported since the start: deaths, restarts. */
  readonly happenings: readonly PlatformEvent[];

  private constructor(parts: {
    folder: string;
    home: string;
    platform: Platform;
    client: CatenaClient;
    happenings: PlatformEvent[];
  }) {
    this.folder = parts.folder;
    this.home = parts.home;
    this.platform = parts.platform;
    this.client = parts.client;
    this.happenings = parts.happenings;
  }

  /** Starts servers and services; a given folder is continued. */
  static async start(options: { folder?: string; instances?: Instances } = {}): Promise<TestPlatform> {
    const folder = options.folder ?? mkdtempSync(path.join(tmpdir(), 'catena-scenario-'));
    const home = path.join(folder, 'home');
    mkdirSync(home, { recursive: true });
    const happenings: PlatformEvent[] = [];
    const platform = await startEverything({
      home,
      onEvent: (event) => happenings.push(event),
      ...(options.instances ? { instances: options.instances } : {}),
    });
    return new TestPlatform({ folder, home, platform, happenings, client: await connectAs(platform) });
  }

  /** A folder below this platform's own, made. */
  place(name: string): string {
    const place = path.join(this.folder, name);
    mkdirSync(place, { recursive: true });
    return place;
  }

  /** Writes files below a folder, given as path → content. */
  write(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(folder, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }

  /** Starts one more process of a service, for example with a crash point in its environment. */
  async startService(
    service: ServiceName,
    instance: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await this.platform.supervisor.start(serviceProcess(service, instance, this.platform, environment));
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

  async apply(text: string): Promise<void> {
    await this.client.ask(schedulerRequests.applyDefinitions, {
      ...command(),
      files: [{ name: 'scenario.yaml', text }],
    });
  }

  /** Defines a source and a repository of the files driver, encrypted with a generated key, without a schedule. */
  async defineFiles(names: {
    source: string;
    repository: string;
  }): Promise<{ source: string; repository: string }> {
    const source = this.place(`sources/${names.source}`);
    const repository = path.join(this.folder, 'repositories', names.repository);
    mkdirSync(path.dirname(repository), { recursive: true });
    await this.apply(`apiVersion: catena/v1
kind: Source
metadata: {name: ${names.source}}
spec: {driver: files, files: {path: ${source}}}
---
apiVersion: catena/v1
kind: Repository
metadata: {name: ${names.repository}}
spec:
  store: fs
  fs: {path: ${repository}}
  encryption: {keys: [{keyFile: {path: ${this.home}/${names.repository}.key, generate: true}}]}
`);
    return { source, repository };
  }

  async requestBackup(
    source: string,
    repository: string,
    type: BackupType = 'full',
    copyOnly = false,
  ): Promise<string> {
    const { run } = await this.client.ask(schedulerRequests.requestBackup, {
      ...command(),
      source,
      repository,
      type,
      copyOnly,
    });
    return run;
  }

  async backup(
    source: string,
    repository: string,
    type: BackupType = 'full',
    copyOnly = false,
  ): Promise<RunOutcome> {
    return this.outcome(await this.requestBackup(source, repository, type, copyOnly));
  }

  async runSchedule(schedule: string, cadence?: Cadence): Promise<RunOutcome> {
    const { run } = await this.client.ask(schedulerRequests.runSchedule, { ...command(), schedule, cadence });
    return this.outcome(run);
  }

  async restore(
    repository: string,
    backup: string,
    target: string,
    options: { overwrite?: boolean; include?: string[] } = {},
  ): Promise<RunOutcome> {
    const { run } = await this.client.ask(schedulerRequests.requestRestore, {
      ...command(),
      repository,
      backup,
      target,
      overwrite: options.overwrite ?? false,
      include: options.include ?? [],
    });
    return this.outcome(run);
  }

  /** Waits for the end of a run. */
  async outcome(run: string): Promise<RunOutcome> {
    return this.client.followRun(run, { signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
  }

  /** The first event from a sequence on that fits; waits for it. */
  async event<T extends EventType>(
    type: T,
    fits: (event: Extract<AnyRecordedEvent, { type: T }>) => boolean = () => true,
    from = 1,
  ): Promise<Extract<AnyRecordedEvent, { type: T }>> {
    const signal = AbortSignal.timeout(PATIENCE_MILLISECONDS);
    for await (const batch of this.client.log.follow({ from, types: [type], signal })) {
      for (const event of batch.events) {
        const candidate = event as Extract<AnyRecordedEvent, { type: T }>;
        if (fits(candidate)) return candidate;
      }
    }
    throw new Error(`no ${type} came within ${PATIENCE_MILLISECONDS} ms`);
  }

  /** Everything in the log. */
  async events(types?: readonly EventType[]): Promise<AnyRecordedEvent[]> {
    const events: AnyRecordedEvent[] = [];
    for await (const event of this.client.log.read(types ? { types } : {})) events.push(event);
    return events;
  }

  /** The backups the catalog knows, as of everything that is in the log now; newest first. */
  async backups(source?: string): Promise<BackupView[]> {
    const atLeast = await this.client.log.lastSequence();
    return (await this.client.ask(catalogRequests.listBackups, { source, atLeast, limit: 1000 })).items;
  }

  /** Stops everything and keeps the folder, so that a second start can continue it. */
  async stop(): Promise<void> {
    await this.client.close();
    await this.platform.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What every command to a service carries. */
export function command(): { commandId: string; actor: string } {
  return { commandId: freshId(), actor: 'person:scenario' };
}

function connectAs(platform: Platform): Promise<CatenaClient> {
  return connectCatena({
    url: platform.endpoints.nats.url,
    ...(platform.endpoints.nats.users.client ?? {}),
    name: 'catena:scenario',
  });
}
