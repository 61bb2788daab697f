import { JetStreamApiError, type Consumer, type ConsumerConfig, type ConsumerInfo } from '@nats-io/jetstream';
import type { NatsLink } from './nats-link.ts';
import { withPatience } from './with-patience.ts';

const CONSUMER_NOT_FOUND = 10014;
/** consumer already exists: another process was faster. */
const CONSUMER_EXISTS = 10148;

/** What may wait for another attempt before nothing new is delivered: delays of hours must not hold the others up. */
const MAX_WAITING = 20_000;

/** A consumer whose position outlives processes and servers. */
export interface DurableSettings {
  readonly stream: string;
  readonly name: string;
  readonly filters: readonly string[];
  /** Nanoseconds until something that was taken and not acknowledged is given to somebody else. */
  readonly ackWait: number;
  /** Where a new one starts; default 1. */
  readonly from?: number;
}

/** Opens a durable consumer: makes it once, keeps its position ever after, and follows changed filters. */
export async function durableConsumer(
  link: NatsLink,
  settings: DurableSettings,
  signal?: AbortSignal,
): Promise<Consumer> {
  const { consumers } = await link.manager();
  const { stream, name } = settings;
  const info = await withPatience(
    link,
    `opening the subscription "${name}"`,
    async () => {
      const there = await existing(() => consumers.info(stream, name));
      if (!there) {
        return (
          (await made(() => consumers.add(stream, newConfig(settings)))) ??
          (await consumers.info(stream, name))
        );
      }
      if (isAsWanted(there.config, settings)) return there;
      return await consumers.update(stream, name, changeable(settings));
    },
    { patienceMilliseconds: Number.POSITIVE_INFINITY, ...(signal ? { signal } : {}) },
  );
  return link.js.consumers.getConsumerFromInfo(info);
}

/** How many messages it was given again and has not acknowledged; 0 when there is no such consumer. */
export async function redelivered(link: NatsLink, stream: string, name: string): Promise<number> {
  const { consumers } = await link.manager();
  return (await existing(() => consumers.info(stream, name)))?.num_redelivered ?? 0;
}

/** Removes a consumer, if it is there. */
export async function removeConsumer(link: NatsLink, stream: string, name: string): Promise<void> {
  const { consumers } = await link.manager();
  await existing(() => consumers.delete(stream, name));
}

function newConfig(settings: DurableSettings): Partial<ConsumerConfig> {
  return {
    durable_name: settings.name,
    ack_policy: 'explicit',
    max_deliver: -1,
    ...changeable(settings),
    ...(settings.from === undefined || settings.from <= 1
      ? { deliver_policy: 'all' }
      : { deliver_policy: 'by_start_sequence', opt_start_seq: settings.from }),
  };
}

function changeable({ filters, ackWait }: DurableSettings): Partial<ConsumerConfig> {
  return { ack_wait: ackWait, max_ack_pending: MAX_WAITING, ...filterConfig(filters) };
}

function isAsWanted(config: ConsumerConfig, { filters, ackWait }: DurableSettings): boolean {
  return (
    config.ack_wait === ackWait && config.max_ack_pending === MAX_WAITING && sameFilters(config, filters)
  );
}

function filterConfig(filters: readonly string[]): Partial<ConsumerConfig> {
  const [only, ...others] = filters;
  if (only === undefined) return {};
  return others.length === 0 ? { filter_subject: only } : { filter_subjects: [...filters] };
}

function sameFilters(config: ConsumerConfig, wanted: readonly string[]): boolean {
  const there = config.filter_subjects ?? (config.filter_subject ? [config.filter_subject] : []);
  return JSON.stringify([...there].sort()) === JSON.stringify([...wanted].sort());
}

async function existing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (thrown) {
    if (thrown instanceof JetStreamApiError && thrown.code === CONSUMER_NOT_FOUND) return undefined;
    throw thrown;
  }
}

async function made(add: () => Promise<ConsumerInfo>): Promise<ConsumerInfo | undefined> {
  try {
    return await add();
  } catch (thrown) {
    if (thrown instanceof JetStreamApiError && thrown.code === CONSUMER_EXISTS) return undefined;
    throw thrown;
  }
}
