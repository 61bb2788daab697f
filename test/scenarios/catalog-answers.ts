import type { CatenaClient } from '@catena/client';
import { catalogRequests } from '@catena/events';
import type { ReadStore } from '@catena/read-store';

/** The lists of the catalog, whoever answers them. */
export type Lists = Pick<
  ReadStore['queries'],
  | 'listDefinitions'
  | 'listSchedules'
  | 'listRuns'
  | 'listBackups'
  | 'listChains'
  | 'listRestorePoints'
  | 'listKeys'
>;

/** As a running chain-catalog serves them. */
export function servedLists(client: CatenaClient): Lists {
  return {
    listDefinitions: (question) => client.ask(catalogRequests.listDefinitions, question),
    listSchedules: (question) => client.ask(catalogRequests.listSchedules, question),
    listRuns: (question) => client.ask(catalogRequests.listRuns, question),
    listBackups: (question) => client.ask(catalogRequests.listBackups, question),
    listChains: (question) => client.ask(catalogRequests.listChains, question),
    listRestorePoints: (question) => client.ask(catalogRequests.listRestorePoints, question),
    listKeys: (question) => client.ask(catalogRequests.listKeys, question),
  };
}

/** Every list, in full; nothing in a scenario has more than a page of anything. */
export async function answersOf(lists: Lists, asOf?: string): Promise<Record<string, unknown[]>> {
  const question = { limit: 1000, ...(asOf === undefined ? {} : { asOf }) };
  const [definitions, schedules, runs, backups, chains, restorePoints, keys] = await Promise.all([
    lists.listDefinitions(question),
    lists.listSchedules(question),
    lists.listRuns(question),
    lists.listBackups(question),
    lists.listChains(question),
    lists.listRestorePoints(question),
    lists.listKeys(question),
  ]);
  const pages = { definitions, schedules, runs, backups, chains, restorePoints, keys };
  return Object.fromEntries(Object.entries(pages).map(([name, { items }]) => [name, items]));
}
