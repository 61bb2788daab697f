/** One command on a replication connection: `pg` has the socket and the parser, the answers come here. */
import type { Connection, Submittable } from 'pg';
import type { CopyTaker } from './frame-splitter.ts';
import { Inflow, type Arrivals } from './inflow.ts';

/** A row as the simple protocol gives it: texts by column. */
export type Row = Readonly<Record<string, string | null>>;

export interface Notice {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
}

/** What `@types/pg` leaves out of the connection that a command is handed. */
export interface Wire extends Connection {
  sendCopyFromChunk(chunk: Uint8Array): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

interface RowDescription {
  readonly fields: readonly { readonly name: string }[];
}

/** What the server answered to a whole command. */
export interface Answer {
  /** One list of rows for each result set. */
  readonly resultSets: readonly (readonly Row[])[];
  /** The tags of success, e.g. `BASE_BACKUP`; without them the command failed, whatever it sent before. */
  readonly tags: readonly string[];
}

export class Command implements Submittable, CopyTaker {
  readonly text: string;
  readonly #arrivals: Arrivals;
  readonly #done = Promise.withResolvers<Answer>();
  readonly #copying = Promise.withResolvers<'in' | 'out' | 'both' | 'none'>();
  readonly #resultSets: Row[][] = [];
  readonly #tags: string[] = [];
  #fields: readonly string[] = [];
  #wire: Wire | undefined;
  #inflow: Inflow | undefined;
  #isBoth = false;
  #detach: () => void = () => undefined;
  #settled = false;

  /** @param arrivals where copied data waits to be taken */
  constructor(text: string, arrivals: Arrivals) {
    this.text = text;
    this.#arrivals = arrivals;
    // Whoever needs the answer awaits it; one who only reads the copied data gets the same error there.
    this.#done.promise.catch(() => undefined);
    this.#copying.promise.catch(() => undefined);
  }

  /** Settles when the server is ready for the next command, or the command failed. */
  get done(): Promise<Answer> {
    return this.#done.promise;
  }

  /** Which way data flows now; `none` when the command ended without any. */
  get copying(): Promise<'in' | 'out' | 'both' | 'none'> {
    return this.#copying.promise;
  }

  /** Result sets that are complete so far: of a base backup, the first ones come before the data. */
  get resultSets(): readonly (readonly Row[])[] {
    return this.#resultSets;
  }

  /** Data the server sends; only once `copying` said `out` or `both`. */
  get inflow(): Inflow {
    if (this.#inflow === undefined) throw new Error(`'${this.text}' gives no data.`);
    return this.#inflow;
  }

  get wire(): Wire {
    if (this.#wire === undefined) throw new Error(`'${this.text}' was not sent.`);
    return this.#wire;
  }

  // What `pg` calls.

  submit(connection: Connection): void {
    const wire = connection as Wire;
    this.#wire = wire;
    const copyOut = () => this.#beginCopy('out');
    const copyBoth = () => this.#beginCopy('both');
    const copyDone = () => this.#copyDone();
    wire.on('copyOutResponse', copyOut);
    wire.on('replicationStart', copyBoth);
    wire.on('copyDone', copyDone);
    this.#detach = () => {
      wire.off('copyOutResponse', copyOut);
      wire.off('replicationStart', copyBoth);
      wire.off('copyDone', copyDone);
    };
    wire.query(this.text);
  }

  handleRowDescription({ fields }: RowDescription): void {
    // What follows the data is about the data; whether the command succeeded is not known yet.
    this.#inflow?.end();
    this.#fields = fields.map(({ name }) => name);
    this.#resultSets.push([]);
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const row = Object.fromEntries(this.#fields.map((name, index) => [name, fields[index] ?? null]));
    this.#resultSets.at(-1)?.push(row);
  }

  handleCopyInResponse(): void {
    this.#copying.resolve('in');
  }

  /** Copied data comes past the parser of `pg`. */
  takeCopied(bytes: Buffer, continues: boolean, left: number): void {
    this.#inflow?.push(bytes, continues, left);
  }

  handleCopyData(): void {
    throw new Error('Copied data came to the parser of pg, which is to get none.');
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#tags.push(text);
  }

  handleEmptyQuery(): void {
    this.#tags.push('');
  }

  handlePortalSuspended(): void {
    this.handleError(new Error('The server suspended a portal in the simple protocol.'));
  }

  handleReadyForQuery(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#detach();
    this.#inflow?.end();
    this.#copying.resolve('none');
    this.#done.resolve({ resultSets: this.#resultSets, tags: this.#tags });
  }

  /** After an error no readiness is announced to this command. */
  handleError(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#detach();
    this.#inflow?.fail(error);
    this.#copying.reject(error);
    this.#done.reject(error);
  }

  /** Older servers send a base backup as one copy after another: a mark stands between them. */
  #beginCopy(direction: 'out' | 'both'): void {
    if (this.#inflow !== undefined) return this.#inflow.mark();
    this.#isBoth = direction === 'both';
    this.#inflow = new Inflow(this.wire.stream, this.#arrivals);
    this.#copying.resolve(direction);
  }

  /** Streaming is over when either side says so; what is only sent is over when the server is ready again. */
  #copyDone(): void {
    if (this.#isBoth) this.#inflow?.end();
  }
}
