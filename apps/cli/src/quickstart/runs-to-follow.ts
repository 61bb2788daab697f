import { catalogRequests, schedulerRequests, type Cadence, type DefinitionView } from '@catena/events';
import type { CatenaClient } from '@catena/client';
import { readDefinitionFiles } from '../definition-files.ts';
import { watchToTheEnd } from '../follow.ts';
import type { Invocation } from '../invocation.ts';

/** Applies definitions and follows the runs of one schedule, and knows whether all of them went well. */
export class RunsToFollow {
  readonly #cli: Invocation;
  readonly #client: CatenaClient;
  readonly #schedule: DefinitionView['name'];
  allWentWell = true;

  constructor(cli: Invocation, client: CatenaClient, schedule: string) {
    this.#cli = cli;
    this.#client = client;
    this.#schedule = schedule;
  }

  /**
   * Applies the definitions of a folder and says what that did.
   * @param adapt changes their text first
   * @returns the log sequence of it
   */
  async apply(folder: string, adapt: (text: string) => string = (text) => text): Promise<number> {
    const read = await readDefinitionFiles([folder], this.#cli.home);
    const files = read.map((file) => ({ ...file, text: adapt(file.text) }));
    const command = { ...this.#cli.command(), files };
    const applied = await this.#client.ask(schedulerRequests.applyDefinitions, command);
    for (const { kind, name, action } of applied.results) this.#cli.say(`  ${kind} ${name}: ${action}`);
    return applied.sequence;
  }

  /** Lets the schedule fire again that `pause` has stopped at the end of an earlier start. */
  async resume(): Promise<void> {
    const command = { ...this.#cli.command(), schedule: this.#schedule };
    const { changed } = await this.#client.ask(schedulerRequests.resumeSchedule, command);
    if (changed) this.#cli.say(`  Schedule ${this.#schedule}: resumed`);
  }

  async pause(reason: string): Promise<void> {
    const schedule = this.#schedule;
    await this.#client.ask(schedulerRequests.pauseSchedule, { ...this.#cli.command(), schedule, reason });
  }

  /** Waits for the full that the schedule fires by itself because of `firstRun: now`. False: there were backups before. */
  async firstFull(source: string, atLeast: number): Promise<boolean> {
    const known = await this.#client.ask(catalogRequests.listBackups, { source, atLeast, limit: 1 });
    if (known.items.length > 0) return false;
    await this.follow(await this.#firstFired());
    return true;
  }

  async cadence(cadence: Cadence): Promise<void> {
    const command = { ...this.#cli.command(), schedule: this.#schedule, cadence };
    const { run } = await this.#client.ask(schedulerRequests.runSchedule, command);
    await this.follow(run);
  }

  async follow(run: string): Promise<void> {
    const { state } = await watchToTheEnd(this.#cli, this.#client, run);
    if (state !== 'completed' && state !== 'completedWithWarnings') this.allWentWell = false;
  }

  async #firstFired(): Promise<string> {
    const { signal } = this.#cli;
    for await (const batch of this.#client.log.follow({ from: 1, types: ['schedule.fired'], signal })) {
      const fired = batch.events.find(
        (event) => event.type === 'schedule.fired' && event.data.schedule === this.#schedule,
      );
      if (fired?.type === 'schedule.fired') return fired.data.run;
    }
    throw signal.reason;
  }
}
