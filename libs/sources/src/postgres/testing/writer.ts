import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** Inserts its own number in a transaction of its own, again and again, into the table `written`. */
export class Writer {
  readonly #client: pg.Client;
  #running = true;
  #work: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  /** The last number whose commit was confirmed. */
  acknowledged = 0;
  /** The last number that was sent. */
  sent = 0;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async start(url: string): Promise<Writer> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(
      'CREATE TABLE IF NOT EXISTS written (n int PRIMARY KEY, at timestamptz DEFAULT now())',
    );
    const { rows } = await client.query<{ last: number }>('SELECT coalesce(max(n), 0) AS last FROM written');
    const writer = new Writer(client);
    writer.sent = writer.acknowledged = rows[0]?.last ?? 0;
    // A server that is killed says so to a connection that waits for nothing, too.
    client.on('error', (error) => (writer.#failure = error));
    writer.#work = writer.#write();
    writer.#work.catch((error: unknown) => (writer.#failure = error as Error));
    return writer;
  }

  /** Resolves when it has written some more. */
  async some(count = 20): Promise<void> {
    const target = this.acknowledged + count;
    while (this.acknowledged < target) {
      if (this.#failure !== undefined) throw this.#failure;
      await sleep(5);
    }
  }

  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    await this.#work;
    await this.#client.end();
  }

  async #write(): Promise<void> {
    while (this.#running) {
      this.sent += 1;
      await this.#client.query('INSERT INTO written (n) VALUES ($1)', [this.sent]);
      this.acknowledged = this.sent;
    }
  }
}
