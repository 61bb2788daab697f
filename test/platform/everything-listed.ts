import { catalogRequests } from '@catena/events';
import { persist, type Operator } from './operator.ts';

/** Every answer of the catalog about everything, as of the end of the log. */
export async function everythingListed({ client }: Operator): Promise<Record<string, unknown>> {
  const question = { atLeast: await persist(() => client.log.lastSequence()), limit: 1000 };
  const ask = async <T>(list: () => Promise<{ items: T[] }>) => (await persist(list)).items;
  return {
    definitions: await ask(() => client.ask(catalogRequests.listDefinitions, question)),
    schedules: await ask(() => client.ask(catalogRequests.listSchedules, question)),
    runs: await ask(() => client.ask(catalogRequests.listRuns, question)),
    backups: await ask(() => client.ask(catalogRequests.listBackups, question)),
    chains: await ask(() => client.ask(catalogRequests.listChains, question)),
    restorePoints: await ask(() => client.ask(catalogRequests.listRestorePoints, question)),
    keys: await ask(() => client.ask(catalogRequests.listKeys, question)),
  };
}
