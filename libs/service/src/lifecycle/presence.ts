import {
  presenceRequest,
  requestSubject,
  serviceNames,
  startingRequest,
  type RequestContract,
  type ServiceName,
  type ServicePresence,
} from '@catena/events';
import type { Platform } from '../ports/platform-module.ts';
import { answerRequest } from '../transport/answer-request.ts';
import { pause } from './pause.ts';

const ROUND_MILLISECONDS = 25;

/** Itself a part of the start: who waits for that must find the service there afterwards. */
const SEEN = 'presence';

type Served = Awaited<ReturnType<Platform['messages']['serve']>>;

/**
 * Lets others see that a process is there: from its connection on that it is starting, and once it has started, that it
 * does its work. Without it a service that is starting and one that does not run look the same.
 */
export class Presence {
  readonly #platform: Platform;
  readonly #service: ServiceName;
  readonly #stop = new AbortController();
  #served: Served | undefined;
  #rising: Promise<void> = Promise.resolve();
  #risen = false;

  private constructor(platform: Platform, service: ServiceName) {
    this.#platform = platform;
    this.#service = service;
  }

  /** Says from now on that the process is starting. */
  static async begin(platform: Platform): Promise<Presence> {
    const service = serviceNames.find((name) => name === platform.identity.service);
    if (service === undefined) throw new Error(`No service is called ${platform.identity.service}.`);
    const presence = new Presence(platform, service);
    presence.#served = await presence.#serve(startingRequest(service));
    platform.readiness.startsWith(SEEN, () => (presence.#risen ? undefined : 'is not told yet'));
    return presence;
  }

  /** The process takes work: it has started when what else its start takes is done. */
  rise(): void {
    this.#rising = this.#whenStarted();
    this.#rising.catch((error: unknown) =>
      this.#platform.log.error('nobody can be told that the service has started', { error }),
    );
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#rising.catch(() => undefined);
    await this.#served?.stop();
  }

  async #whenStarted(): Promise<void> {
    while (Object.keys(this.#unfinished()).length > 0)
      if (!(await pause(ROUND_MILLISECONDS, this.#stop.signal))) return;
    const starting = this.#served;
    this.#served = await this.#serve(presenceRequest(this.#service));
    this.#risen = true;
    await starting?.stop();
  }

  #unfinished(): Record<string, string> {
    const { [SEEN]: _itself, ...others } = this.#platform.readiness.unfinished();
    return others;
  }

  #serve(contract: RequestContract): Promise<Served> {
    const { messages, log } = this.#platform;
    return messages.serve(requestSubject(contract), this.#service, (payload) =>
      answerRequest(contract, payload, () => this.#describe(), log),
    );
  }

  async #describe(): Promise<ServicePresence> {
    const { readiness, identity } = this.#platform;
    const unfinished = this.#unfinished();
    const { checks } = await readiness.examine();
    const ailing = Object.entries(checks).flatMap(([name, { ok, detail }]) =>
      ok ? [] : [[name, detail ?? 'not well'] as const],
    );
    return { instance: identity.instance, unfinished, ailing: Object.fromEntries(ailing) };
  }
}
