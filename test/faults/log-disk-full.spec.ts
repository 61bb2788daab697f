import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { schedulerRequests } from '@catena/events';
import { command, until } from '../platform/operator.ts';
import { flawsOf, flawsOfRestore } from '../platform/proof.ts';
import { ProtectedTree } from '../platform/protected-tree.ts';
import { scenarioFolder, TestPlatform } from '../platform/test-platform.ts';

const PATIENCE = 300_000;
const MEGABYTES = 32;
/** The log is asked more than once before it is said to store nothing. */
const UNHURRIED = { timeoutMilliseconds: 120_000 };

/** A small file system for the log is needed, which only root can mount, and not in every container. */
function canMount(): boolean {
  const folder = scenarioFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (canMount()) fullDisk();
else
  describe('a log whose disk is full', () => {
    it('is not tested here: mounting a small file system needs root', () => {
      expect(canMount()).toBe(false);
    });
  });

function fullDisk(): void {
  let folder: string;
  let platform: TestPlatform;
  let tree: ProtectedTree;

  beforeAll(async () => {
    folder = scenarioFolder();
    platform = await TestPlatform.start({
      folder,
      environment: { CATENA_JOB_WAIT_SECONDS: '2' },
      prepare: (home) => {
        mkdirSync(path.join(home, 'nats'));
        const size = `size=${MEGABYTES}m,mode=0700`;
        execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', path.join(home, 'nats')]);
      },
    });
    tree = await ProtectedTree.define(platform, 'letters', { megabytes: 1 });
  }, PATIENCE);

  afterAll(async () => {
    try {
      await platform.stop();
    } finally {
      execFileSync('umount', [path.join(folder, 'home', 'nats')]);
      rmSync(folder, { recursive: true, force: true });
    }
  }, PATIENCE);

  const ballast = () => path.join(platform.home, 'nats', 'ballast');

  function fill(): void {
    const file = openSync(ballast(), 'w');
    try {
      // Page by page, so that not one is left.
      for (const page = Buffer.alloc(4096, 1); ;) writeSync(file, page);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  async function finished(run: string): Promise<void> {
    const outcome = await platform.outcome(run);
    expect(outcome.state).toBe('completed');
    if (outcome.event.type === 'run.completed') tree.remember(outcome.event.data.backup ?? '');
  }

  /** Asks until the log takes nothing more; what was acknowledged. */
  async function askUntilRefused(): Promise<{
    acknowledged: { run: string; sequence: number }[];
    refusal: unknown;
  }> {
    const acknowledged: { run: string; sequence: number }[] = [];
    for (;;) {
      const wanted = {
        ...command(),
        ...{ source: 'letters', repository: tree.repository, type: 'incremental' as const, copyOnly: false },
      };
      try {
        acknowledged.push(await platform.client.ask(schedulerRequests.requestBackup, wanted, UNHURRIED));
      } catch (refusal) {
        return { acknowledged, refusal };
      }
    }
  }

  describe('a log whose disk is full', () => {
    it(
      'refuses by name, keeps what it acknowledged, and goes on by itself when there is room',
      async () => {
        await finished(await platform.requestBackup('letters', tree.repository));
        tree.edit();
        fill();
        const { acknowledged, refusal } = await askUntilRefused();
        expect(refusal).toMatchObject({ code: 'event-log.not-storing', retryable: true });
        await until('the platform says what is the matter', () =>
          platform.happenings.some(
            (event) =>
              event.type === 'child.ails' &&
              event.name === 'nats' &&
              /Make room on the disk of/.test(event.reason),
          ),
        );
        const held = await platform.events();
        for (const { run, sequence } of acknowledged)
          expect(held[sequence - 1]).toMatchObject({ type: 'run.requested', aggregate: { id: run } });

        rmSync(ballast());
        await until('it goes on', () =>
          platform.happenings.some((event) => event.type === 'child.restarted' && event.name === 'nats'),
        );
        for (const { run } of acknowledged) expect((await platform.outcome(run)).state).toBe('completed');
        expect((await platform.events()).slice(0, held.length)).toEqual(held);
        await finished(await platform.requestBackup('letters', tree.repository, 'incremental'));
        expect(await flawsOf(platform, [tree])).toEqual([]);
        expect(await flawsOfRestore(platform, tree)).toEqual([]);
      },
      PATIENCE,
    );

    it(
      'under a backup: it is made once, and known when there is room',
      async () => {
        tree.edit();
        const marker = await platform.doom('mover', 'mover-1', 'mover.before-report', { signal: 'SIGSTOP' });
        const run = await platform.requestBackup('letters', tree.repository, 'incremental');
        await platform.standsStill('mover-1', marker);
        fill();
        process.kill(platform.pidOf('mover-1'), 'SIGCONT');
        const { acknowledged, refusal } = await askUntilRefused();
        expect(refusal).toMatchObject({ code: 'event-log.not-storing' });
        rmSync(ballast());
        await finished(run);
        // What was still acknowledged before the disk was quite full is done, too.
        for (const { run: other } of acknowledged) await finished(other);
        expect(await flawsOf(platform, [tree])).toEqual([]);
      },
      PATIENCE,
    );
  });
}
