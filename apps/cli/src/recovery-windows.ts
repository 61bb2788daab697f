import { catalogRequests, type RecoveryWindowView } from '@catena/events';
import type { CatenaClient } from '@catena/client';
import { askCurrent } from './ask-current.ts';
import { MOST_ON_A_PAGE } from './list-options.ts';
import { gather } from './pages.ts';

/** The recovery windows of some or all sources, newest first. */
export async function recoveryWindowsOf(
  client: CatenaClient,
  filter: { source?: string; repository?: string; asOf?: string },
): Promise<RecoveryWindowView[]> {
  const { items } = await gather((after) =>
    askCurrent(client, catalogRequests.listRecoveryWindows, { ...filter, after, limit: MOST_ON_A_PAGE }),
  );
  return items;
}
