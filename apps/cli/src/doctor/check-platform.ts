import { catalogRequests, describeError } from '@catena/events';
import type { CatenaClient } from '@catena/client';
import { askCurrent } from '../ask-current.ts';
import { servicesThere, type ServiceThere } from '../services-there.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

const DAY_MILLISECONDS = 86_400_000;

function findingOf({ service, state, instance, says }: ServiceThere): Finding {
  const log = `Look into the log of the ${service}, in the folder logs of the data folder.`;
  if (state === 'starting') return warning(service, `It ${says}.`, 'Ask again in a moment.');
  if (state === 'absent') return problem(service, `It ${says}.`, `Start it. ${log}`);
  return says === undefined ? ok(service, `${instance} does its work`) : problem(service, `It ${says}.`, log);
}

/** What the running services say about themselves. */
export async function checkPlatform(client: CatenaClient, home: string, now: number): Promise<Finding[]> {
  const findings: Finding[] = [
    ok('event log', `answers, ${await client.log.lastSequence()} events`),
    ...(await servicesThere(client, home)).map(findingOf),
  ];
  let status;
  try {
    status = await client.ask(catalogRequests.catalogStatus, {}, { timeoutMilliseconds: 5_000 });
  } catch (error) {
    const { message } = describeError(error);
    return [
      ...findings,
      problem(
        'read models',
        `They are not answered from: ${message}`,
        'Look into logs/chain-catalog-1.log of the data folder.',
      ),
    ];
  }
  findings.push(
    status.stopped
      ? problem(
          'read models',
          `They stopped reading at event ${status.sequence}: ${status.stopped}`,
          'Run a build that knows this event, then "catena catalog rebuild".',
        )
      : ok('read models', `hold ${status.sequence} of ${status.logSequence} events`),
  );
  if (status.deadLetters > 0) {
    findings.push(
      warning(
        'subscriptions',
        `${status.deadLetters} deliveries failed for good.`,
        'See them with "catena dead-letters list", mend the receiver, then "catena dead-letters redeliver".',
      ),
    );
  }
  for (const { subscription, events, error } of status.failingDeliveries) {
    findings.push(
      problem(
        `subscription ${subscription}`,
        `${events === 1 ? '1 event is' : `${events} events are`} tried again and again${error === undefined ? '' : `: ${error}`}`,
        'Mend the receiver; what it does not take within a day is put aside ("catena dead-letters list").',
      ),
    );
  }
  const since = new Date(now - DAY_MILLISECONDS).toISOString();
  // A restore that failed said so to whoever asked for it, and says nothing about the set-up.
  const failed = (
    await askCurrent(client, catalogRequests.listRuns, { state: 'failed', limit: 100 })
  ).items.filter((run) => run.kind !== 'restore' && (run.finishedAt ?? '') >= since);
  findings.push(
    failed.length === 0
      ? ok('runs', 'none failed within a day')
      : problem(
          'runs',
          `${failed.length} failed within a day, the last: ${failed[0]?.failure?.message}`,
          `See "catena runs ${failed[0]?.run}".`,
        ),
  );
  return findings;
}

/** Keys that exist in one place only. */
export async function checkKeys(client: CatenaClient): Promise<Finding[]> {
  const keys = (await askCurrent(client, catalogRequests.listKeys, {})).items;
  return keys.map((key) =>
    key.exportedAt === undefined
      ? problem(
          `key of ${key.repository}`,
          `The generated key ${key.keyId} exists only in ${key.path}. If that is lost, so is every backup in ${key.repository}.`,
          `catena key export ${key.repository} --to <a file on another device>`,
        )
      : ok(`key of ${key.repository}`, `${key.keyId} was exported at ${key.exportedAt}`),
  );
}
