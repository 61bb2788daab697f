import { rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { catalogRequests, schedulerRequests, type ChainView } from '@catena/events';
import type { CatenaClient } from '@catena/client';
import { compareTrees } from '@catena/sources';
import { BANK } from './bank/bank-server.ts';
import type { Invocation } from '../invocation.ts';
import { drawChains } from '../presentation/chain-drawing.ts';
import { RunsToFollow } from './runs-to-follow.ts';
import { editSampleSource, prepareSampleSource } from './sample-source.ts';

const definitions = fileURLToPath(new URL('../../../../examples/quickstart', import.meta.url));

/** The names that examples/quickstart gives its definitions. */
export const names = { source: 'quickstart', repository: 'quickstart', schedule: 'quickstart' } as const;

/** What the quickstart found out. */
export interface MainJobResult {
  readonly succeeded: boolean;
  /** Ways in which the restored tree differs from the source; empty is the proof. */
  readonly differences: readonly string[];
  readonly source: string;
  readonly restored: string;
  /** The picture of it, newest chain first. */
  readonly chains: readonly ChainView[];
}

/**
 * The main job on real files: definitions applied, a first full by schedule, an incremental and a differential of
 * edited files, a copy-only full, a restore, and the comparison of what came back with what was protected.
 */
export async function showMainJob(cli: Invocation, client: CatenaClient): Promise<MainJobResult> {
  const folder = path.join(cli.home, 'quickstart');
  const source = path.join(folder, 'source');
  const restored = path.join(folder, 'restored');
  const runs = new RunsToFollow(cli, client, names.schedule);

  cli.say(`\n1. Something to protect: the project's own files`);
  const sample = await prepareSampleSource(source);
  cli.say(
    sample.fresh
      ? `  ${sample.files} files copied to ${source}`
      : `  ${source} is there already; going on with it`,
  );

  cli.say('\n2. What to protect and when: examples/quickstart');
  const applied = await runs.apply(definitions);
  cli.say('\n3. The first run: the schedule fires a full by itself');
  if (!(await runs.firstFull(names.source, applied)))
    cli.say('  The chain of an earlier start goes on; its fulls are there');

  cli.say('\n4. Files change, then an incremental: only what changed since the backup before');
  for (const change of await editSampleSource(source, 1)) cli.say(`  ${change}`);
  await runs.cadence('incremental');

  cli.say('\n5. Files change again, then a differential: everything since the full');
  for (const change of await editSampleSource(source, 2)) cli.say(`  ${change}`);
  await runs.cadence('differential');

  cli.say('\n6. A copy-only full: to take away, without a trace in the chain');
  await runs.cadence('copyOnly');

  cli.say(`\n7. A restore of the newest backup of the chain to ${restored}`);
  await rm(restored, { recursive: true, force: true });
  const atLeast = await client.log.lastSequence();
  const [newest] = (
    await client.ask(catalogRequests.listBackups, {
      source: names.source,
      copyOnly: false,
      atLeast,
      limit: 1,
    })
  ).items;
  if (newest) {
    const { run } = await client.ask(schedulerRequests.requestRestore, {
      ...cli.command(),
      repository: names.repository,
      backup: newest.backup,
      target: restored,
      include: [],
      overwrite: false,
    });
    await runs.follow(run);
  }

  cli.say('\n8. Is it the same? Content, modes, owners, times, links');
  const differences =
    runs.allWentWell && newest
      ? (await compareTrees(source, restored)).map(({ message }) => message)
      : ['there was nothing to compare'];
  for (const difference of differences.slice(0, 20)) cli.say(`  ${difference}`);
  const succeeded = differences.length === 0;
  cli.say(succeeded ? '  Every byte, every time stamp: equal.' : `  ${differences.length} differences.`);

  const chains = await client.ask(catalogRequests.listChains, {
    source: names.source,
    atLeast: await client.log.lastSequence(),
    limit: 20,
  });
  cli.say(`\n${drawChains(chains.items)}`);
  return { succeeded, differences, source, restored, chains: chains.items };
}

/** How a newcomer goes on. */
export function howToGoOn(home: string, moment: string): string {
  return `
How to go on, in another terminal (data folder ${home}):
  npx catena status                              is all well, and what needs attention
  npx catena chains                              the picture above, at any time
  npx catena backup ${names.source} --type incremental
  npx catena restore ${names.source} --to /tmp/${names.source}
  npx catena events --follow                     everything that happens, as it happens
  npx catena backups --source ${BANK}                the bank, whose money goes on moving
  npx catena restore ${BANK} --at ${moment} --to /tmp/${BANK}
  npx catena apply my-backups.yaml               your own files; see docs/definitions.md
  npx catena doctor                              what is wrong, if anything, and how to mend it`;
}
