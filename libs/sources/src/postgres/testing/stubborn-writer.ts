import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** Like `Writer`, but goes on whatever happens to the server: what it does not know it asks. */
export class StubbornWriter {
  readonly #url: string;
  readonly #stop = new AbortController();
  readonly #work: Promise<void>;
  /** The last number whose commit was confirmed. */
  acknowledged = 0;

  /** @param url of a database in which the table `written` may be made */
  constructor(url: string) {
    this.#url = url;
    this.#work = this.#write();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async #write(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const client = new pg.Client({ connectionString: this.#url });
      // The connection ends when the server does; the query that runs then fails as well.
      client.on('error', () => undefined);
      try {
        await client.connect();
        await this.#writeThrough(client);
      } catch {
        await sleep(50);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }

  async #writeThrough(client: pg.Client): Promise<void> {
    await client.query('CREATE TABLE IF NOT EXISTS written (n int PRIMARY KEY, filler text)');
    const { rows } = await client.query<{ last: number }>('SELECT coalesce(max(n), 0) AS last FROM written');
    let next = (rows[0]?.last ?? 0) + 1;
    while (!this.#stop.signal.aborted) {
      await client.query('INSERT INTO written VALUES ($1::int, repeat(md5($1::int::text), 40))', [next]);
      this.acknowledged = next;
      next += 1;
    }
  }
}
