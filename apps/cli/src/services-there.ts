import {
  CatenaError,
  presenceRequest,
  serviceNames,
  startingRequest,
  type RequestContract,
  type ServicePresence,
} from '@catena/events';
import { homeLayout, readHolder } from '@catena/embedded';
import type { CatenaClient } from '@catena/client';

/** One service of the platform as it is now. */
export interface ServiceThere {
  readonly service: string;
  /** `ready` when one of its processes does its work, `starting` when one is on its way, `absent` when there is none. */
  readonly state: 'ready' | 'starting' | 'absent';
  /** The process that answered. */
  readonly instance?: string;
  /** What a person should know of it; for everything that is not well. */
  readonly says?: string;
}

/** The chain catalog cannot tell how things stand, because it or another service is not there. */
export class PlatformNotReadyError extends CatenaError {
  constructor(missing: string, services: readonly ServiceThere[], cause: unknown) {
    const starting = services.every(({ state }) => state !== 'absent');
    super('platform.not-ready', missing, {
      remedy: starting
        ? 'Ask again in a moment.'
        : 'Start it with "catena up"; what a service says of itself is in the folder logs of the data folder.',
      retryable: true,
      details: { services },
      cause,
    });
  }
}

const PATIENCE_MILLISECONDS = 5_000;

/** Asks every service whether it is there. Nobody there is an answer, not an error. */
export async function servicesThere(client: CatenaClient, home: string): Promise<ServiceThere[]> {
  return await Promise.all(serviceNames.map((service) => lookFor(client, service, home)));
}

/** The services that do not do their work, in one sentence; undefined when all do. */
export function missingServices(services: readonly ServiceThere[]): string | undefined {
  const missing = services.filter(({ state }) => state !== 'ready');
  if (missing.length === 0) return undefined;
  return missing.map(({ service, says }) => `The ${service} ${says}.`).join(' ');
}

async function lookFor(
  client: CatenaClient,
  service: (typeof serviceNames)[number],
  home: string,
): Promise<ServiceThere> {
  const [present, starting] = [presenceRequest(service), startingRequest(service)];
  // One that has just started answers the first question no longer as starting and not yet as present.
  for (const contract of [present, starting, present]) {
    const answer = await answerOf(client, contract);
    if (answer === 'silent')
      return { service, state: 'absent', says: `does not answer within ${PATIENCE_MILLISECONDS / 1000} s` };
    if (answer === undefined) continue;
    const { instance } = answer;
    if (contract === starting) return { service, state: 'starting', instance, says: startingText(answer) };
    const ails = named(answer.ailing);
    return { service, state: 'ready', instance, ...(ails === '' ? {} : { says: `is not well: ${ails}` }) };
  }
  const holder = readHolder(homeLayout(home));
  return holder
    ? { service, state: 'starting', says: `is being started by pid ${holder.pid}` }
    : { service, state: 'absent', says: 'does not run' };
}

function startingText({ unfinished, ailing }: ServicePresence): string {
  const left = named({ ...unfinished, ...ailing });
  return left === '' ? 'is starting' : `is starting: ${left}`;
}

function named(details: Readonly<Record<string, string>>): string {
  return Object.entries(details)
    .map(([name, detail]) => `${name}: ${detail}`)
    .join('; ');
}

async function answerOf(
  client: CatenaClient,
  contract: RequestContract<
    ReturnType<typeof presenceRequest>['input'],
    ReturnType<typeof presenceRequest>['output']
  >,
): Promise<ServicePresence | 'silent' | undefined> {
  try {
    return await client.ask(contract, {}, { timeoutMilliseconds: PATIENCE_MILLISECONDS });
  } catch (error) {
    if (error instanceof CatenaError && error.code === 'messages.no-responder') return undefined;
    if (error instanceof CatenaError && error.code === 'messages.timeout') return 'silent';
    throw error;
  }
}
