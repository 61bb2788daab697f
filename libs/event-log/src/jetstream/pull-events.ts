import { JetStreamError, type Consumer, type ConsumerConfig, type JsMsg } from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import { asCatenaError, isTransient } from './nats-errors.ts';
import { wait } from '../wait.ts';
import { PositionBeyondLogError } from '../port/errors.ts';
import { openPull } from './open-pull.ts';
import type { NatsLink } from './nats-link.ts';
import { whileConnected } from './while-connected.ts';
import { DEFAULT_PATIENCE, withPatience } from './with-patience.ts';

/** How long one request for messages stays open on the server, in milliseconds. */
const PULL_EXPIRES = 10_000;

/** Before another consumer is made in the place of a lost one, in milliseconds. */
const AFTER_LOSS = 20;

/** After this the server forgets a consumer that nobody asks; a reader that was slower makes a new one. Milliseconds. */
const CONSUMER_IDLE = 30_000;

/** What to read and how much at once. */
export interface PullOptions {
  readonly stream: string;
  /** First sequence wanted. */
  readonly from: number;
  /** Subjects wanted; none means all. */
  readonly filters: readonly string[];
  /** Most messages asked for, and held, at once. */
  readonly batch: number;
  readonly signal?: AbortSignal | undefined;
  /** Stop when everything that the stream held at the beginning was read. */
  readonly untilEnd: boolean;
  /** How long to outlast a server that is away, in milliseconds. */
  readonly patienceMilliseconds?: number;
}

/**
 * Messages of a stream from a sequence on, in order, none missing and none twice, in batches that never wait for
 * more than is there. Bounded pulls on an ephemeral consumer; when the consumer or the server is lost, another one
 * goes on behind the last message. Deliveries are numbered by the server, so a lost one shows at once.
 */
export async function* pullBatches(link: NatsLink, options: PullOptions): AsyncGenerator<readonly JsMsg[]> {
  const stopped = () => options.signal?.aborted ?? false;
  let next = options.from;
  let remaining = Number.POSITIVE_INFINITY;
  while (!stopped() && remaining > 0) {
    let consumer: Consumer | undefined;
    try {
      const opened = await openConsumer(link, options, next);
      consumer = opened.consumer;
      if (options.untilEnd) remaining = Math.min(remaining, opened.pending);
      else await checkPosition(link, options, next - 1);
      for (let delivered = 0; remaining > 0;) {
        const before = delivered;
        for await (const batch of onePull(
          consumer,
          Math.min(options.batch, remaining),
          delivered,
          options.signal,
        )) {
          delivered += batch.length;
          remaining -= batch.length;
          next = (batch.at(-1)?.seq ?? next) + 1;
          yield batch;
          if (remaining <= 0) return;
        }
        if (stopped()) return;
        if (delivered === before && options.untilEnd) break;
      }
    } catch (thrown) {
      if (!isTransient(thrown)) throw asCatenaError(thrown, 'reading the log');
      await wait(AFTER_LOSS, options.signal);
    } finally {
      if (consumer) await forget(link, consumer);
    }
  }
}

async function openConsumer(
  link: NatsLink,
  options: PullOptions,
  from: number,
): Promise<{ consumer: Consumer; pending: number }> {
  const { consumers } = await link.manager();
  const info = await withPatience(
    link,
    'opening a reader',
    () => consumers.add(options.stream, settings(options, from)),
    {
      patienceMilliseconds: options.untilEnd
        ? (options.patienceMilliseconds ?? DEFAULT_PATIENCE)
        : Number.POSITIVE_INFINITY,
      ...(options.signal ? { signal: options.signal } : {}),
    },
  );
  return { consumer: link.js.consumers.getConsumerFromInfo(info), pending: info.num_pending };
}

/** Whenever a follower begins or goes on: the server that came back may have another log, or an older one. */
async function checkPosition(
  link: NatsLink,
  { stream, signal }: PullOptions,
  position: number,
): Promise<void> {
  const { streams } = await link.manager();
  const info = await withPatience(link, 'asking for the last sequence', () => streams.info(stream), {
    patienceMilliseconds: Number.POSITIVE_INFINITY,
    ...(signal ? { signal } : {}),
  });
  if (position > info.state.last_seq) throw new PositionBeyondLogError(position, info.state.last_seq);
}

function settings({ filters }: PullOptions, from: number): Partial<ConsumerConfig> {
  const [only, ...others] = filters;
  return {
    ack_policy: 'none',
    deliver_policy: 'by_start_sequence',
    opt_start_seq: from,
    inactive_threshold: nanos(CONSUMER_IDLE),
    // Nothing of a reader is worth a disk write: after a restart it makes another consumer.
    mem_storage: true,
    num_replicas: 1,
    ...(only === undefined
      ? {}
      : others.length === 0
        ? { filter_subject: only }
        : { filter_subjects: [...filters] }),
  };
}

/**
 * One bounded pull. Hands over what came as soon as nothing more is there, and stays open for more until it has
 * delivered its size or expires.
 * @throws JetStreamError (transient) when a delivery was lost on its way: the consumer is of no more use.
 */
async function* onePull(
  consumer: Consumer,
  size: number,
  deliveredBefore: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly JsMsg[]> {
  const options = { max_messages: size, expires: PULL_EXPIRES, bind: true };
  let expected = deliveredBefore + 1;
  let batch: JsMsg[] = [];
  for await (const message of openPull(consumer, options, signal)) {
    if (message.info.deliverySequence !== expected) throw new JetStreamError('a delivery was lost');
    expected += 1;
    batch.push(message);
    if (message.info.pending > 0 && batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function forget(link: NatsLink, consumer: Consumer): Promise<void> {
  try {
    await whileConnected(link, () => consumer.delete());
  } catch {
    // Only a courtesy to the server, which may be away just now and removes idle consumers by itself.
  }
}
