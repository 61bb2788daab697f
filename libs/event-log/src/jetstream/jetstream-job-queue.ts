import type { JsMsg } from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import { CatenaError } from '@catena/events';
import type { JobQueue, TakenJob } from '../port/job-queue.ts';
import { wait } from '../wait.ts';
import { durableConsumer } from './durable-consumer.ts';
import { JobPull, JobTicket } from './job-pull.ts';
import { asCatenaError, isTransient } from './nats-errors.ts';
import type { NatsLink } from './nats-link.ts';
import { JOB_SUBJECT_ROOT, JOBS_STREAM } from './stream-settings.ts';
import { whileConnected } from './while-connected.ts';
import { withPatience } from './with-patience.ts';

/** How the queue is opened. */
export interface JobQueueOptions {
  /** How long a job stays with a taker that says nothing, in milliseconds; default 30 000. The same for all movers. */
  readonly ackWaitMilliseconds?: number;
}

const TOKEN = /^[A-Za-z0-9_-]{1,128}$/;

/** Opens the job queue on a connection. */
export function openJobQueue(link: NatsLink, options: JobQueueOptions = {}): JobQueue {
  return new JetStreamJobQueue(link, options.ackWaitMilliseconds ?? 30_000);
}

/** A work queue stream with a subject for each kind and run, and one durable consumer for each kind. */
class JetStreamJobQueue implements JobQueue {
  readonly #link: NatsLink;
  readonly #ackWait: number;
  readonly #closed = new AbortController();
  readonly #pulls = new Map<string, JobPull>();

  constructor(link: NatsLink, ackWait: number) {
    this.#link = link;
    this.#ackWait = ackWait;
  }

  async put(job: { kind: string; run: string; key: string }): Promise<void> {
    const subject = `${JOB_SUBJECT_ROOT}.${token(job.kind)}.${token(job.run)}`;
    await withPatience(this.#link, 'putting a job', () =>
      this.#link.js.publish(subject, '', { msgID: job.key }),
    );
  }

  async take(options: {
    kinds: readonly string[];
    waitMilliseconds: number;
    signal: AbortSignal;
  }): Promise<TakenJob | undefined> {
    const over = new AbortController();
    const signal = AbortSignal.any([options.signal, over.signal, this.#closed.signal]);
    const pulls = options.kinds.map((kind) => this.#pull(token(kind)));
    const ticket = new JobTicket();
    for (const pull of pulls) pull.join(ticket);
    const late = wait(options.waitMilliseconds, signal);
    try {
      const message = await Promise.race([ticket.served, late]);
      return message ? this.#taken(message) : undefined;
    } finally {
      over.abort();
      ticket.withdraw();
      for (const pull of pulls) pull.leave(ticket);
    }
  }

  async pending(): Promise<ReadonlySet<string>> {
    const { streams } = await this.#link.manager();
    return await withPatience(this.#link, 'asking for the waiting jobs', async () => {
      const { state } = await streams.info(JOBS_STREAM, { subjects_filter: `${JOB_SUBJECT_ROOT}.>` });
      return new Set(Object.keys(state.subjects ?? {}).map((subject) => subject.split('.').at(-1) ?? ''));
    });
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.all([...this.#pulls.values()].map((pull) => pull.ended));
  }

  #pull(kind: string): JobPull {
    const there = this.#pulls.get(kind);
    if (there) return there;
    const settings = {
      ...{ stream: JOBS_STREAM, name: `jobs-${kind}`, ackWait: nanos(this.#ackWait) },
      filters: [`${JOB_SUBJECT_ROOT}.${kind}.*`],
    };
    const pull = new JobPull(
      () => durableConsumer(this.#link, settings, this.#closed.signal),
      this.#closed.signal,
    );
    this.#pulls.set(kind, pull);
    return pull;
  }

  #taken(message: JsMsg): TakenJob {
    const [kind = '', run = ''] = message.subject.split('.').slice(-2);
    return {
      kind,
      run,
      working: () => message.working(),
      acknowledge: () => harmlessWhenLost(whileConnected(this.#link, () => message.ackAck())),
      giveBack: async (delay) => {
        message.nak(delay);
        await harmlessWhenLost(whileConnected(this.#link, () => this.#link.nats.flush()));
      },
    };
  }
}

/** An acknowledgement that is lost with its connection lets the job come again, to a taker who finds its run over. */
async function harmlessWhenLost(word: Promise<unknown>): Promise<void> {
  try {
    await word;
  } catch (thrown) {
    if (!isTransient(thrown)) throw asCatenaError(thrown, 'acknowledging a job');
  }
}

function token(text: string): string {
  if (TOKEN.test(text)) return text;
  throw new CatenaError('jobs.not-a-token', `"${text}" cannot be part of a job's subject.`, {
    remedy: 'Use 1 to 128 letters, digits, "-" or "_".',
  });
}
