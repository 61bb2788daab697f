import { jetstream, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { ConnectionStatus, NatsOptions } from './connection-options.ts';

/** What the server says of itself. */
export interface NatsServerFacts {
  readonly version: string;
  readonly name: string;
  /** Largest message it takes, in bytes. */
  readonly maxPayload: number;
  readonly address: string;
}

/** A connection to NATS that finds its way back after every loss. Everything of this library is opened on one. */
export class NatsLink {
  readonly nats: NatsConnection;
  readonly js: JetStreamClient;
  readonly name: string;
  #manager: Promise<JetStreamManager> | undefined;
  #status: ConnectionStatus = 'connected';
  readonly #onLoss = new Set<() => void>();
  readonly #onSettled = new Set<() => void>();

  constructor(nats: NatsConnection, options: Pick<NatsOptions, 'name' | 'onStatus'>) {
    this.nats = nats;
    this.name = options.name;
    this.js = jetstream(nats);
    void this.#watch(options.onStatus);
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  /** The JetStream API; not asked whether it is there, because a server that starts says no for a moment. */
  manager(): Promise<JetStreamManager> {
    return (this.#manager ??= this.js.jetstreamManager(false));
  }

  /** Undefined while no server was reached. */
  server(): NatsServerFacts | undefined {
    const info = this.nats.info;
    return (
      info && {
        version: info.version,
        name: info.server_name,
        maxPayload: info.max_payload,
        address: this.nats.getServer(),
      }
    );
  }

  /** Milliseconds to the server and back; rejects when it is away. */
  roundTrip(): Promise<number> {
    return this.nats.rtt();
  }

  /** The next loss of the connection, to be forgotten when nobody waits for it any more. */
  loss(): { happened: Promise<void>; forget: () => void } {
    return this.#next(this.#onLoss, this.#status !== 'connected');
  }

  /** The next time that it is connected or closed for good; at once when it is. */
  settling(): { happened: Promise<void>; forget: () => void } {
    return this.#next(this.#onSettled, this.#status !== 'disconnected');
  }

  #next(waiting: Set<() => void>, now: boolean): { happened: Promise<void>; forget: () => void } {
    let forget = () => {};
    const happened = new Promise<void>((resolve) => {
      if (now) {
        resolve();
        return;
      }
      waiting.add(resolve);
      forget = () => void waiting.delete(resolve);
    });
    return { happened, forget };
  }

  /** Sends what is waiting to be sent and closes. A server that goes meanwhile is not waited for. Harmless when repeated. */
  async close(): Promise<void> {
    if (!this.nats.isClosed() && this.#status === 'connected') {
      const lost = this.loss();
      // Draining would go on waiting for a server that has gone.
      await Promise.race([this.nats.drain().catch(() => undefined), lost.happened]);
      lost.forget();
    }
    if (!this.nats.isClosed()) await this.nats.close();
    await this.nats.closed();
  }

  async #watch(tell: NatsOptions['onStatus']): Promise<void> {
    const set = (status: ConnectionStatus) => {
      if (status === this.#status) return;
      this.#status = status;
      tell?.(status);
      if (status !== 'connected') wakeAll(this.#onLoss);
      if (status !== 'disconnected') wakeAll(this.#onSettled);
    };
    for await (const { type } of this.nats.status()) {
      if (type === 'disconnect') set('disconnected');
      if (type === 'reconnect') set('connected');
    }
    set('closed');
  }
}

function wakeAll(waiting: Set<() => void>): void {
  const all = [...waiting];
  waiting.clear();
  for (const wake of all) wake();
}
