import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startTestNats, startTestPostgres, type TestNats, type TestPostgres } from '@catena/embedded/testing';
import {
  catalogRequests,
  freshId,
  schedulerRequests,
  type AnyRecordedEvent,
  type EventType,
  type RequestContract,
  type RunView,
} from '@catena/events';
import {
  connectNats,
  ensureStreams,
  openEventLog,
  openMessages,
  type EventLog,
  type Messages,
  type NatsLink,
} from '@catena/event-log';
import { askUntilAnswered, eventually, ServiceProcess } from '@catena/service/testing';
import type { z } from 'zod';

const APPS = fileURLToPath(new URL('../../../', import.meta.url));
const OVER = ['completed', 'completedWithWarnings', 'refused', 'failed', 'cancelled'];

type ServiceName = 'scheduler' | 'chain-catalog' | 'mover';

/** Services as real processes on a real nats-server and a real PostgreSQL; for tests in this repository. */
export class ServiceFleet {
  readonly folder: string;
  readonly nats: TestNats;
  readonly eventLog: EventLog;
  readonly #postgres: TestPostgres;
  readonly #links: readonly NatsLink[];
  readonly #messages: Messages;
  readonly #processes = new Map<string, ServiceProcess>();

  private constructor(
    nats: TestNats,
    postgres: TestPostgres,
    links: readonly NatsLink[],
    eventLog: EventLog,
    messages: Messages,
  ) {
    this.folder = mkdtempSync(join(tmpdir(), 'catena-fleet-'));
    this.nats = nats;
    this.#postgres = postgres;
    this.#links = links;
    this.eventLog = eventLog;
    this.#messages = messages;
  }

  static async open(): Promise<ServiceFleet> {
    const [nats, postgres] = await Promise.all([startTestNats(), startTestPostgres()]);
    const operator = await connectNats({ url: nats.url, ...nats.users.operator, name: 'test operator' });
    await ensureStreams(operator);
    const client = await connectNats({ url: nats.url, ...nats.users.client, name: 'test client' });
    const eventLog = await openEventLog(client);
    return new ServiceFleet(nats, postgres, [operator, client], eventLog, openMessages(client));
  }

  /** A folder below this fleet's own. */
  place(...names: string[]): string {
    const place = join(this.folder, ...names);
    mkdirSync(place, { recursive: true });
    return place;
  }

  /** Starts a process without waiting for it. Jobs of silent movers are handed out again after two seconds. */
  start(service: ServiceName, instance: string, environment: Record<string, string> = {}): ServiceProcess {
    const { user, password } = this.nats.users[service];
    const process = new ServiceProcess(join(APPS, service, 'dist', 'main.js'), {
      CATENA_NATS_URL: this.nats.url,
      CATENA_NATS_USER: user,
      CATENA_NATS_PASSWORD: password,
      ...(service === 'chain-catalog' ? { CATENA_DATABASE_URL: this.#postgres.url } : {}),
      CATENA_INSTANCE: instance,
      CATENA_JOB_WAIT_SECONDS: '2',
      ...environment,
    });
    this.#processes.set(instance, process);
    void process.ended.then(() => {
      if (this.#processes.get(instance) === process) this.#processes.delete(instance);
    });
    return process;
  }

  /** Has one healthy process of each of the services, named after it, and no other. */
  async run(...services: readonly ServiceName[]): Promise<void> {
    await Promise.all(
      [...this.#processes].flatMap(([instance, process]) =>
        services.some((service) => service === instance) ? [] : [process.stop()],
      ),
    );
    for (const service of services) if (!this.#processes.has(service)) this.start(service, service);
  }

  /** Stops one process. */
  async end(instance: string): Promise<void> {
    await this.#processes.get(instance)?.stop();
  }

  /** Stops processes; the servers stay. Answers with the exit codes. */
  async stopAll(): Promise<(number | string)[]> {
    return await Promise.all([...this.#processes.values()].map((process) => process.stop()));
  }

  async close(): Promise<void> {
    await this.stopAll();
    await this.#messages.close();
    await this.eventLog.close();
    for (const link of this.#links) await link.close();
    await Promise.all([this.nats.close(), this.#postgres.close()]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Asks until somebody is there to answer; a refusal is thrown. */
  async ask<I extends z.ZodType, O extends z.ZodType>(
    contract: RequestContract<I, O>,
    input: z.input<I>,
  ): Promise<z.output<O>> {
    return await askUntilAnswered(this.#messages, contract, input, { timeoutMilliseconds: 60_000 });
  }

  /** Applies definitions: a source, a repository, and a schedule that fires its first full at once, all of one name. */
  async define(
    name: string,
    options: { cadences?: string } = {},
  ): Promise<{ source: string; target: string }> {
    const source = this.place(name, 'source');
    const repository = join(this.place(name), 'repository');
    const documents = [
      `kind: Source\nmetadata: {name: ${name}}\nspec: {driver: files, files: {path: ${source}}}`,
      `kind: Repository\nmetadata: {name: ${name}}\nspec: {store: fs, fs: {path: ${repository}}}`,
      ...(options.cadences === undefined
        ? []
        : [
            `kind: Schedule\nmetadata: {name: ${name}}\nspec: {source: ${name}, repository: ${name}, ${options.cadences}}`,
          ]),
    ];
    await this.apply(documents);
    return { source, target: join(this.place(name), 'target') };
  }

  async apply(documents: readonly string[]): Promise<void> {
    const text = documents.map((document) => `apiVersion: catena/v1\n${document}\n`).join('---\n');
    await this.ask(schedulerRequests.applyDefinitions, {
      ...command(),
      files: [{ name: 'test.yaml', text }],
    });
  }

  /** Asks for a backup by hand. */
  async backup(source: string, type: 'full' | 'incremental' = 'full'): Promise<string> {
    const wish = { source, repository: source, type, copyOnly: false };
    return (await this.ask(schedulerRequests.requestBackup, { ...command(), ...wish })).run;
  }

  async restore(repository: string, backup: string, target: string): Promise<string> {
    const request = { repository, backup, target, include: [], overwrite: false };
    return (await this.ask(schedulerRequests.requestRestore, { ...command(), ...request })).run;
  }

  /** The run as queries show it, once it is over. */
  async over(run: string): Promise<RunView> {
    return await eventually(`the end of ${run}`, async () => {
      const { items } = await this.ask(catalogRequests.listRuns, { run });
      return items.find(({ state }) => OVER.includes(state));
    });
  }

  /** Everything that was said about one aggregate, or of some types, so far. */
  async events(options: { run?: string; types?: readonly EventType[] } = {}): Promise<AnyRecordedEvent[]> {
    const { run, types } = options;
    const found: AnyRecordedEvent[] = [];
    const reading = this.eventLog.read({
      ...(run === undefined ? {} : { aggregate: { type: 'run', id: run } }),
      ...(types === undefined ? {} : { types }),
    });
    for await (const event of reading) found.push(event);
    return found;
  }
}

/** A command of its own each time. */
export function command(): { commandId: string; actor: string } {
  return { commandId: freshId(), actor: 'person:tester' };
}
