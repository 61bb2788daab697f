import { catalogRequests } from '@catena/events';
import type { Command } from 'commander';
import { askCurrent } from '../ask-current.ts';
import { subcommand, type Act } from '../command-line.ts';
import { mustBeKnown } from '../known-names.ts';
import { listOptions, MOST_ON_A_PAGE, type ListOptions } from '../list-options.ts';
import { gather } from '../pages.ts';
import { drawChains } from '../presentation/chain-drawing.ts';
import { formatInstant } from '../presentation/quantities.ts';
import { listing } from '../presentation/table.ts';
import { recoveryWindowsOf } from '../recovery-windows.ts';

/** `catena chains | restore-points`: how backups hang together, and what can be had back. */
export function addChains(program: Command, act: Act): void {
  listOptions(
    subcommand(
      program,
      'chains',
      'Draws the chains: fulls, their dependents, copy-only apart',
      'catena chains --source home\ncatena chains --as-of 2026-03-01T00:00:00Z',
    ),
  ).action(
    act(async (cli, { limit, ...filter }: ListOptions) => {
      const client = await cli.connect();
      const page = await gather(
        (after) =>
          askCurrent(client, catalogRequests.listChains, {
            ...filter,
            after,
            limit: Math.min(limit, MOST_ON_A_PAGE),
          }),
        limit,
      );
      await mustBeKnown(client, page.items, filter);
      const recoveryWindows = await recoveryWindowsOf(client, filter);
      cli.answer({ ...page, recoveryWindows });
      cli.say(page.items.length === 0 ? 'There are no chains yet.' : drawChains(page.items, recoveryWindows));
      if (page.stale) cli.remark(`The catalog is behind: ${page.stale}`);
    }),
  );

  listOptions(
    subcommand(
      program,
      'restore-points',
      'Lists the times that a restore can reach, newest first',
      'catena restore-points --source home --limit 10',
    ),
  ).action(
    act(async (cli, { limit, ...filter }: ListOptions) => {
      const client = await cli.connect();
      const page = await gather(
        (after) =>
          askCurrent(client, catalogRequests.listRestorePoints, {
            ...filter,
            after,
            limit: Math.min(limit, MOST_ON_A_PAGE),
          }),
        limit,
      );
      await mustBeKnown(client, page.items, filter);
      cli.answer(page);
      cli.say(
        listing(
          'No time can be had back yet.',
          ['TIME', 'SOURCE', 'REPOSITORY', 'BACKUP', 'TYPE'],
          page.items.map((item) => [
            formatInstant(item.at),
            item.source,
            item.repository,
            item.backup,
            item.copyOnly ? `${item.type} copy-only` : item.type,
          ]),
        ),
      );
      if (page.stale) cli.remark(`The catalog is behind: ${page.stale}`);
    }),
  );
}
