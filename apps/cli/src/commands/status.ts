import { catalogRequests, type RestorePointView } from '@catena/events';
import type { CatenaClient } from '@catena/client';
import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { formatInstant } from '../presentation/quantities.ts';

/** For each source the newest time that can be had back: what a person wants to know first. */
async function newestRestorePoints(
  client: CatenaClient,
): Promise<{ source: string; newest: RestorePointView | undefined }[]> {
  const sources = await client.ask(catalogRequests.listDefinitions, { kind: 'Source', limit: 1000 });
  return Promise.all(
    sources.items
      .filter(({ deleted }) => !deleted)
      .map(async ({ name }) => ({
        source: name,
        newest: (await client.ask(catalogRequests.listRestorePoints, { source: name, limit: 1 })).items[0],
      })),
  );
}

/** `catena status`: is all well, and if not, what. */
export function addStatus(program: Command, act: Act): void {
  subcommand(program, 'status', 'Shows whether the platform is well and what needs attention').action(
    act(async (cli) => {
      const client = await cli.connect();
      const [status, active, failed, schedules, keys] = await Promise.all([
        client.ask(catalogRequests.catalogStatus, {}),
        client.ask(catalogRequests.listRuns, { active: true }),
        client.ask(catalogRequests.listRuns, { state: 'failed', limit: 5 }),
        client.ask(catalogRequests.listSchedules, {}),
        client.ask(catalogRequests.listKeys, {}),
      ]);
      const protection = await newestRestorePoints(client);
      const unstored = keys.items.filter((key) => key.exportedAt === undefined);
      const paused = schedules.items.filter((schedule) => schedule.paused);
      cli.answer({
        ...status,
        active: active.items,
        recentFailures: failed.items,
        protection,
        paused,
        keysNotStoredElsewhere: unstored,
      });

      cli.say(
        `catalog   at ${status.sequence} of ${status.logSequence} events${status.stopped ? `; STOPPED: ${status.stopped}` : ''}`,
      );
      cli.say(
        `counts    ${Object.entries(status.counts)
          .map(([name, count]) => `${name} ${count}`)
          .join(', ')}`,
      );
      for (const { source, newest } of protection)
        cli.say(
          `source    ${source}: ${newest ? `newest restore point ${formatInstant(newest.at)}` : 'NO RESTORE POINT YET'}`,
        );
      for (const run of active.items)
        cli.say(`running   ${run.run}  ${run.kind} of ${run.source ?? run.repository}: ${run.state}`);
      for (const run of failed.items) {
        cli.say(
          `failed    ${run.run}  ${formatInstant(run.finishedAt)}  ${run.failure?.code}: ${run.failure?.message}`,
        );
      }
      for (const schedule of paused)
        cli.say(
          `paused    schedule ${schedule.name}${schedule.pauseReason ? `: ${schedule.pauseReason}` : ''}`,
        );
      if (status.deadLetters > 0)
        cli.say(`undelivered  ${status.deadLetters} dead letters; see "catena dead-letters list"`);
      for (const key of unstored) {
        cli.say(
          `KEY       ${key.keyId} of repository ${key.repository} exists only in ${key.path}. Without it nothing can be restored.`,
        );
        cli.say(
          `          Store it elsewhere: catena key export ${key.repository} --to <file on another device>`,
        );
      }
    }),
  );
}
