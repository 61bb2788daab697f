import { rmSync } from 'node:fs';
import path from 'node:path';
import { expect } from '@jest/globals';
import type { RunOutcome } from '@catena/client';
import { backupIdOfRun, type BackupView } from '@catena/events';
import { violations } from '../platform/invariants.ts';
import { until } from '../platform/operator.ts';
import { ProtectedTree } from '../platform/protected-tree.ts';
import type { TestPlatform } from '../platform/test-platform.ts';

/** Files with a schedule that fires when it is told to, and a retention. */
export class KeptTree {
  readonly tree: ProtectedTree;
  readonly schedule: string;
  readonly #platform: TestPlatform;

  private constructor(platform: TestPlatform, tree: ProtectedTree) {
    this.#platform = platform;
    this.tree = tree;
    this.schedule = `nightly-${tree.name}`;
  }

  static async define(platform: TestPlatform, name: string, retention: string): Promise<KeptTree> {
    const kept = new KeptTree(platform, await ProtectedTree.define(platform, name, { megabytes: 2 }));
    await kept.retain(retention);
    return kept;
  }

  async retain(retention: string): Promise<void> {
    await this.#platform.apply(`apiVersion: catena/v1
kind: Schedule
metadata: {name: ${this.schedule}}
spec:
  source: ${this.tree.name}
  repository: ${this.tree.repository}
  firstRun: scheduled
  full: "0 0 1 1 *"
  incremental: "0 0 1 2 *"
  retention: ${retention}
`);
  }

  /** Takes a backup by the schedule and remembers what it must give back. */
  async take(type: 'full' | 'incremental'): Promise<string> {
    this.tree.edit();
    const backup = madeBy(await this.#platform.runSchedule(this.schedule, type));
    this.tree.remember(backup);
    return backup;
  }

  async states(): Promise<Record<string, BackupView['state']>> {
    const backups = await this.#platform.backups(this.tree.name);
    return Object.fromEntries(backups.map(({ backup, state }) => [backup, state]));
  }

  async view(backup: string): Promise<BackupView> {
    const found = (await this.#platform.backups(this.tree.name)).find((one) => one.backup === backup);
    if (found === undefined) throw new Error(`${backup} is not there`);
    return found;
  }

  async untilState(state: BackupView['state'], ...backups: string[]): Promise<void> {
    await until(`${backups.join(', ')} ${state}`, async () => {
      const states = await this.states();
      return backups.every((backup) => states[backup] === state);
    });
    if (state === 'deleted') for (const backup of backups) this.forget(backup);
  }

  /** Waits until nothing is condemned that is not deleted, with nothing left to decide. */
  async settle(): Promise<void> {
    await until('what is condemned is deleted', async () => {
      const states = await this.states();
      const usable = Object.values(states).filter((state) => state === 'usable');
      return usable.length === 1 && !Object.values(states).includes('condemned');
    });
    for (const [backup, state] of Object.entries(await this.states()))
      if (state === 'deleted') this.forget(backup);
  }

  /** It is gone: nothing has to give it back any more. */
  forget(backup: string): void {
    rmSync(path.join(this.#platform.place(`copies/${this.tree.name}`), backup), {
      recursive: true,
      force: true,
    });
  }

  async there(): Promise<string[]> {
    const found = await this.tree.found();
    return found.map((one) => ('manifest' in one ? one.manifest.backup : one.name)).sort();
  }

  /** Everything that is not deleted can be had back, and the log keeps its rules. */
  async expectWell(...backups: string[]): Promise<void> {
    expect(await this.there()).toEqual([...backups].sort());
    expect(this.tree.remembered.sort()).toEqual([...backups].sort());
    expect(await this.tree.flaws()).toEqual([]);
    expect(violations(await this.#platform.events())).toEqual([]);
  }
}

/** The backup that a completed run made. */
export function madeBy(outcome: RunOutcome): string {
  if (outcome.state !== 'completed') throw new Error(`${outcome.event.aggregate.id} is ${outcome.state}`);
  return backupIdOfRun(outcome.event.aggregate.id);
}
