import {
  describeError,
  type AnyRecordedEvent,
  type DefinitionSnapshot,
  type EventType,
  type FailingDelivery,
} from '@catena/events';
import type { EventLog } from '@catena/event-log';
import { readSubscriptionSpec, type SubscriptionSpec } from '@catena/schedule';
import {
  BackgroundWork,
  CLOCK,
  CONFIGURATION,
  crashPoint,
  EVENT_LOG,
  Log,
  pagesOf,
  withLogFields,
  type Clock,
  type LogFold,
  type ServiceConfiguration,
} from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { CatalogFollower } from '../log-view/catalog-follower.ts';
import { cloudEventOf } from './cloud-event.ts';
import { deliverToCommand } from './deliver-to-command.ts';
import { deliverToWebhook } from './deliver-to-webhook.ts';
import { SourceOfEvent } from './source-of-event.ts';
import { revealSecret, typesOf } from './subscription-spec.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** A day of trying; then the event is a dead letter that status shows. */
const BACKOFF = [
  SECOND,
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  ...Array.from({ length: 12 }, () => 120 * MINUTE),
];

interface Running {
  readonly name: string;
  readonly generation: number;
  readonly stop: AbortController;
}

/** A part of it in a snapshot. */
interface KeptPage {
  readonly defined?: readonly (readonly [id: string, subscription: DefinitionSnapshot])[];
  /** By uid. */
  readonly firstSeen?: readonly (readonly [uid: string, sequence: number])[];
}

const FOLLOWED: readonly EventType[] = ['definition.applied', 'definition.deleted'];

/** Keeps one durable delivery for each Subscription that is defined; catalogs share them by name. */
@Injectable()
export class SubscriptionRunner implements LogFold {
  readonly name = 'subscriptions';
  readonly version = 1;
  readonly types = FOLLOWED;
  /** By id of the definition. */
  readonly #defined = new Map<string, DefinitionSnapshot>();
  /** By uid the sequence of its first definition, also of those that are not defined any more. */
  readonly #firstSeen = new Map<string, number>();
  /** Whether what is defined is not what runs. */
  #changed = true;
  readonly #running = new Map<string, Running>();
  readonly #lastErrors = new Map<string, string>();
  /** Uids of those that are not defined any more. */
  readonly #deleted = new Set<string>();

  constructor(
    @Inject(CatalogFollower) follower: CatalogFollower,
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(BackgroundWork) private readonly work: BackgroundWork,
    @Inject(SourceOfEvent) private readonly sources: SourceOfEvent,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIGURATION) private readonly configuration: ServiceConfiguration,
    @Inject(Log) private readonly log: Log,
  ) {
    follower.add(this);
  }

  apply(event: AnyRecordedEvent): void {
    const { id } = event.aggregate;
    if (event.type === 'definition.applied' && event.data.kind === 'Subscription') {
      const { uid, name, generation, spec } = event.data;
      this.#defined.set(id, { uid, name, generation, spec });
      if (!this.#firstSeen.has(uid)) this.#firstSeen.set(uid, event.sequence);
      this.#changed = true;
    } else if (event.type === 'definition.deleted' && this.#defined.delete(id)) this.#changed = true;
  }

  *capture(): Iterable<KeptPage> {
    for (const defined of pagesOf(this.#defined)) yield { defined };
    for (const firstSeen of pagesOf(this.#firstSeen)) yield { firstSeen };
  }

  restore(page: unknown): void {
    const { defined = [], firstSeen = [] } = page as KeptPage;
    for (const [id, subscription] of defined) this.#defined.set(id, subscription);
    for (const [uid, sequence] of firstSeen) this.#firstSeen.set(uid, sequence);
  }

  clear(): void {
    this.#defined.clear();
    this.#firstSeen.clear();
  }

  /** While the past is read again, what was defined then is not what is defined now. */
  caughtUp(signal: AbortSignal): void {
    if (!this.#changed) return;
    this.#changed = false;
    this.#bringAbout(signal);
  }

  /** Deliveries that have failed and are tried again, by whichever catalog. */
  async failing(): Promise<FailingDelivery[]> {
    const all = await Promise.all(
      [...this.#running].map(async ([uid, { name }]) => {
        const error = this.#lastErrors.get(name);
        const events = await this.eventLog.retrying(deliveryName(uid));
        return { subscription: name, events, ...(error === undefined ? {} : { error }) };
      }),
    );
    return all.filter(({ events }) => events > 0);
  }

  /** Starts what is defined and does not run, stops what is not defined any more, restarts what has changed. */
  #bringAbout(signal: AbortSignal): void {
    const uids = new Map([...this.#defined.values()].map((defined) => [defined.uid, defined]));
    for (const [uid, { generation, stop }] of this.#running) {
      if (uids.get(uid)?.generation === generation) continue;
      if (!uids.has(uid)) this.#deleted.add(uid);
      stop.abort();
      this.#running.delete(uid);
    }
    for (const uid of this.#firstSeen.keys()) {
      if (uids.has(uid) || this.#deleted.has(uid)) continue;
      // Deleted while no catalog ran, or while one could not finish with it.
      this.#deleted.add(uid);
      this.work.start(
        `end of subscription ${uid}`,
        async () => await this.eventLog.forget(deliveryName(uid)),
      );
    }
    for (const [uid, { name, generation, spec }] of uids) {
      if (this.#running.has(uid)) continue;
      const stop = new AbortController();
      this.#running.set(uid, { name, generation, stop });
      this.#start(
        name,
        uid,
        spec,
        (this.#firstSeen.get(uid) ?? 0) + 1,
        AbortSignal.any([signal, stop.signal]),
      );
    }
  }

  #start(
    name: string,
    uid: string,
    stored: DefinitionSnapshot['spec'],
    from: number,
    signal: AbortSignal,
  ): void {
    const backoff =
      this.configuration.CATENA_DELIVERY_BACKOFF_SECONDS?.map((seconds) => seconds * SECOND) ?? BACKOFF;
    this.work.start(`subscription ${name}`, async (_, healthy) => {
      const spec = readSubscriptionSpec(stored);
      healthy();
      if (!signal.aborted)
        await this.eventLog.deliver(
          { name: deliveryName(uid), types: typesOf(spec), from, backoff, signal },
          (event, { attempt }) =>
            withLogFields({ subscription: name, run: event.correlationId, sequence: event.sequence }, () =>
              this.#deliver(name, spec, event, attempt, signal),
            ),
        );
      if (this.#deleted.has(uid)) await this.eventLog.forget(deliveryName(uid));
    });
  }

  async #deliver(
    name: string,
    spec: SubscriptionSpec,
    event: AnyRecordedEvent,
    attempt: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (spec.sources !== undefined) {
      const source = await this.sources.find(event);
      if (source === undefined || !spec.sources.includes(source)) return;
    }
    crashPoint('catalog.before-delivery');
    try {
      await this.#send(spec, event, signal);
    } catch (error) {
      this.#lastErrors.set(name, describeError(error).message);
      this.log.warn('an event was not delivered', { type: event.type, attempt, error });
      throw error;
    }
    this.#lastErrors.delete(name);
    crashPoint('catalog.after-delivery');
    this.log.debug('delivered', { type: event.type, attempt });
  }

  async #send({ to }: SubscriptionSpec, event: AnyRecordedEvent, signal: AbortSignal): Promise<void> {
    const cloudEvent = cloudEventOf(event);
    if ('command' in to) return await deliverToCommand(to.command, cloudEvent, signal);
    const { url, secret } = to.webhook;
    const webhook = { url, secret: secret === undefined ? undefined : await revealSecret(secret) };
    await deliverToWebhook(webhook, cloudEvent, this.clock.now(), signal);
  }
}

function deliveryName(uid: string): string {
  return `subscription-${uid}`;
}
