import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startTestNats, type TestNats } from '@catena/embedded/testing';
import { freshId, schedulerRequests, type AnyRecordedEvent } from '@catena/events';
import {
  connectNats,
  ensureStreams,
  openEventLog,
  openMessages,
  type EventLog,
  type Messages,
  type NatsLink,
} from '@catena/event-log';
import { askUntilAnswered, ServiceProcess } from '@catena/service/testing';
import { scheduleDefinitions } from './schedule-definitions.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** A scheduler as a process of its own, with a clock that a test sets. */
export class SchedulerProcess {
  readonly #process: ServiceProcess;
  readonly #clock: string;

  constructor(clock: string, ahead: number, environment: Record<string, string>) {
    this.#clock = clock;
    this.setClock(ahead);
    this.#process = new ServiceProcess(PROGRAM, { CATENA_CLOCK_OFFSET_FILE: clock, ...environment });
  }

  /** How it ended: an exit code or a signal. */
  get ended(): Promise<number | string> {
    return this.#process.ended;
  }

  /** By how many milliseconds its clock is ahead of the system's; it may run. */
  setClock(ahead: number): void {
    writeFileSync(`${this.#clock}.new`, String(ahead));
    renameSync(`${this.#clock}.new`, this.#clock);
  }

  async started(): Promise<this> {
    await this.#process.started();
    return this;
  }

  async end(): Promise<number | string> {
    return await this.#process.stop('SIGKILL');
  }

  /** Stands still as a machine that sleeps, until it is told to go on. */
  sleep(): void {
    this.#process.signal('SIGSTOP');
  }

  goOn(): void {
    this.#process.signal('SIGCONT');
  }
}

/** Schedulers as real processes on a real nats-server, and nothing else: what they ask for is never done. */
export class SchedulerFleet {
  readonly #folder = mkdtempSync(join(tmpdir(), 'catena-schedulers-'));
  readonly #nats: TestNats;
  readonly #link: NatsLink;
  readonly #log: EventLog;
  readonly #messages: Messages;
  readonly #processes = new Set<SchedulerProcess>();

  private constructor(nats: TestNats, link: NatsLink, log: EventLog, messages: Messages) {
    this.#nats = nats;
    this.#link = link;
    this.#log = log;
    this.#messages = messages;
  }

  static async open(): Promise<SchedulerFleet> {
    const nats = await startTestNats();
    const link = await connectNats({ url: nats.url, ...nats.admin, name: 'test' });
    await ensureStreams(link);
    return new SchedulerFleet(nats, link, await openEventLog(link), openMessages(link));
  }

  /** @param ahead of the system's clock, in milliseconds */
  start(instance: string, ahead = 0, environment: Record<string, string> = {}): SchedulerProcess {
    const { user, password } = this.#nats.users.scheduler;
    const scheduler = new SchedulerProcess(join(this.#folder, `${instance}.clock`), ahead, {
      CATENA_NATS_URL: this.#nats.url,
      CATENA_NATS_USER: user,
      CATENA_NATS_PASSWORD: password,
      CATENA_INSTANCE: instance,
      ...environment,
    });
    this.#processes.add(scheduler);
    void scheduler.ended.then(() => this.#processes.delete(scheduler));
    return scheduler;
  }

  /** Applies schedules of a source and a repository that it makes for them: name and spec. */
  async define(schedules: Readonly<Record<string, string>>): Promise<void> {
    const text = scheduleDefinitions(schedules);
    const command = { commandId: freshId(), actor: 'person:tester', files: [{ name: 'test.yaml', text }] };
    await askUntilAnswered(this.#messages, schedulerRequests.applyDefinitions, command, {
      timeoutMilliseconds: 2_500,
      // Nobody is there yet, or it was killed under the question, which may be put again.
      again: () => true,
    });
  }

  async events(): Promise<AnyRecordedEvent[]> {
    const found: AnyRecordedEvent[] = [];
    for await (const event of this.#log.read()) found.push(event);
    return found;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes].map((scheduler) => scheduler.end()));
    await this.#messages.close();
    await this.#log.close();
    await this.#link.close();
    await this.#nats.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
