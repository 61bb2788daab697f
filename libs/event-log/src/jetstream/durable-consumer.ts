import { JetStreamApiError, type Consumer, type ConsumerConfig, type ConsumerInfo } from '@nats-io/jetstream';
import type { NatsLink } from './nats-link.ts';
import { withPatience } from './with-patience.ts';

const CONSUMER_NOT_FOUND = 10014;
/** consumer already exists: another process was faster. */
const CONSUMER_EXISTS = 10148;

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
      if (sameFilters(there.config, settings.filters) && there.config.ack_wait === settings.ackWait)
        return there;
      return await consumers.update(stream, name, {
        ...filterConfig(settings.filters),
        ack_wait: settings.ackWait,
      });
    },
    { patienceMilliseconds: Number.POSITIVE_INFINITY, ...(signal ? { signal } : {}) },
  );
  return link.js.consumers.getConsumerFromInfo(info);
}

function newConfig(settings: DurableSettings): Partial<ConsumerConfig> {
  return {
    durable_name: settings.name,
    ack_policy: 'explicit',
    ack_wait: settings.ackWait,
    max_deliver: -1,
    ...(settings.from === undefined || settings.from <= 1
      ? { deliver_policy: 'all' }
      : { deliver_policy: 'by_start_sequence', opt_start_seq: settings.from }),
    ...filterConfig(settings.filters),
  };
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

async function existing(ask: () => Promise<ConsumerInfo>): Promise<ConsumerInfo | undefined> {
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
