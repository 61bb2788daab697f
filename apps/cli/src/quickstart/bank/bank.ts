/** A bank whose money moves all the time and never becomes more or less. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export const ACCOUNTS = 1000;
export const MONEY_PER_ACCOUNT = 1000;
export const MONEY = ACCOUNTS * MONEY_PER_ACCOUNT;

const TABLES = `
  CREATE TABLE IF NOT EXISTS accounts (id int PRIMARY KEY, balance bigint NOT NULL);
  CREATE TABLE IF NOT EXISTS transfers (
    id bigint PRIMARY KEY, payer int NOT NULL, payee int NOT NULL, amount bigint NOT NULL
  );
  INSERT INTO accounts SELECT n, ${MONEY_PER_ACCOUNT} FROM generate_series(1, ${ACCOUNTS}) n ON CONFLICT DO NOTHING;`;

/** One transaction: the number of the transfer, and both accounts. */
const TRANSFER = `
  WITH transfer AS (INSERT INTO transfers VALUES ($1, $2, $3, $4))
  UPDATE accounts SET balance = balance + CASE id WHEN $3 THEN $4::bigint ELSE -$4::bigint END WHERE id IN ($2, $3)`;

/** Moves money from one account to another, one transaction after another. */
export class Bank {
  readonly #client: pg.Client;
  readonly #stopping = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #failure: unknown;
  #last = 0;
  #pauseMilliseconds: number;

  private constructor(client: pg.Client, pauseMilliseconds: number) {
    this.#client = client;
    this.#pauseMilliseconds = pauseMilliseconds;
  }

  /** Opens the bank, made first when it is not there, and begins to move money. */
  static async open(url: string, pauseMilliseconds: number): Promise<Bank> {
    const client = new pg.Client({ connectionString: url, application_name: 'the bank of the quickstart' });
    const bank = new Bank(client, pauseMilliseconds);
    // A server that goes away says so here as well as in the query that is under way.
    client.on('error', (error) => (bank.#failure ??= error));
    await client.connect();
    await client.query(TABLES);
    const { rows } = await client.query<{ last: string }>(
      'SELECT coalesce(max(id), 0) AS last FROM transfers',
    );
    bank.#last = Number(rows[0]?.last ?? 0);
    bank.#work = bank.#move().catch((error: unknown) => void (bank.#failure ??= error));
    return bank;
  }

  /** The last transfer that is known to be committed. */
  get transfers(): number {
    return this.#last;
  }

  /** Resolves when that many more transfers are committed. Throws why none is made any more. */
  async some(count: number): Promise<void> {
    const target = this.#last + count;
    while (this.#last < target) {
      if (this.#failure !== undefined) throw this.#failure as Error;
      await sleep(5);
    }
  }

  /** From now on it waits that long between two transfers. */
  slowDown(pauseMilliseconds: number): void {
    this.#pauseMilliseconds = pauseMilliseconds;
  }

  /** Ends after the transfer that is under way. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#work;
    await this.#client.end();
  }

  async #move(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const next = this.#last + 1;
      const payer = 1 + Math.floor(Math.random() * ACCOUNTS);
      const payee = 1 + ((payer + Math.floor(Math.random() * (ACCOUNTS - 1))) % ACCOUNTS);
      await this.#client.query(TRANSFER, [next, payer, payee, 1 + Math.floor(Math.random() * 100)]);
      this.#last = next;
      await sleep(this.#pauseMilliseconds, undefined, { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
  }
}
