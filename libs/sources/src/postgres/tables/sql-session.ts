/** A session that speaks SQL, with rows as objects and copies as streams. */
import pg from 'pg';
import { Command } from '../wire/command.ts';
import { KeptPieces } from '../wire/kept-pieces.ts';
import { takeCopiedData } from '../wire/take-copied-data.ts';

export class SqlSession {
  readonly #client: pg.Client;
  /** As it was said when the server let us in, e.g. 180004. */
  readonly versionNumber: number;
  #lost: Error | undefined;
  #copying: Command | undefined;

  private constructor(client: pg.Client, versionNumber: number) {
    this.#client = client;
    this.versionNumber = versionNumber;
    client.on('error', (error) => void (this.#lost ??= error));
    takeCopiedData(client, () => this.#copying, { keeps: true });
  }

  /** Takes over a client that is connected. */
  static async on(client: pg.Client): Promise<SqlSession> {
    try {
      const { rows } = await client.query<{ version: string }>(
        `SELECT pg_catalog.current_setting('server_version_num') AS version`,
      );
      return new SqlSession(client, Number(rows[0]?.version));
    } catch (error) {
      client.connection.stream.destroy();
      throw error;
    }
  }

  /** E.g. 18. */
  get majorVersion(): number {
    return Math.floor(this.versionNumber / 10_000);
  }

  async rows<T extends object>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    return (await this.#client.query<T>(text, [...values])).rows;
  }

  /** The only row of a question that always has one. */
  async row<T extends object>(text: string, values: readonly unknown[] = []): Promise<T> {
    const [row] = await this.rows<T>(text, values);
    if (row === undefined) throw new Error(`'${text}' gave no row.`);
    return row;
  }

  /** Runs one statement or several; several are one transaction unless one is open already. */
  async run(text: string): Promise<void> {
    await this.#client.query(text);
  }

  /** Begins a command whose data is read or written while it runs. */
  begin(text: string): Command {
    if (this.#lost !== undefined) throw this.#lost;
    const command = new Command(text, new KeptPieces());
    this.#copying = command;
    this.#client.query(command);
    return command;
  }

  /** Ends it at once; a transaction that is open is rolled back by the server. */
  close(): void {
    this.#lost ??= new Error('the connection was closed');
    this.#client.connection.stream.resume();
    this.#client.connection.stream.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A name as SQL takes it whatever is in it. */
export function quoted(...names: readonly string[]): string {
  return names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.');
}

/** A text as SQL takes it whatever is in it. */
export function literal(text: string): string {
  return pg.escapeLiteral(text);
}
