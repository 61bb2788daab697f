/** A physical replication connection: the only way Catena speaks with a cluster that it protects. */
import pg from 'pg';
import { SourceError } from '../../port/source-error.ts';
import { shownAddress, tlsOptions, type ServerAddress } from './address.ts';
import { Command, type Answer, type Notice, type Row } from './command.ts';
import { commandFailure, connectFailure } from './failure.ts';
import { GatheredPieces, type Gathering } from './gathered-pieces.ts';
import { reusingSocket } from './reusing-socket.ts';
import { takeCopiedData } from './take-copied-data.ts';

export interface ConnectOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long the server may take to let us in; 30 s by default. */
  readonly connectMilliseconds?: number;
  /** How long the server may be silent while a command runs and it is not held back; 10 minutes by default. */
  readonly silenceMilliseconds?: number;
  /** How long we may hold the server back, which then keeps log for us; 15 minutes by default (rules.md 3.12). */
  readonly stallMilliseconds?: number;
  /** Shown in pg_stat_activity and pg_stat_replication. */
  readonly applicationName?: string;
}

const CONNECT_MILLISECONDS = 30_000;
const SILENCE_MILLISECONDS = 600_000;
const STALL_MILLISECONDS = 900_000;
const KEEP_ALIVE_MILLISECONDS = 30_000;

/** One command at a time. Close it whatever happens: an open one keeps the process alive and a WAL sender busy. */
export class ReplicationConnection {
  readonly address: ServerAddress;
  readonly #client: pg.Client;
  readonly #parameters: ReadonlyMap<string, string>;
  readonly #silenceMilliseconds: number;
  readonly #stallMilliseconds: number;
  readonly #signal: AbortSignal | undefined;
  readonly #abort: () => void;
  readonly #notices: Notice[] = [];
  #running: Command | undefined;
  #lastHeard = 0;
  #watch: NodeJS.Timeout | undefined;
  #lost: unknown;

  private constructor(
    address: ServerAddress,
    client: pg.Client,
    parameters: ReadonlyMap<string, string>,
    options: ConnectOptions,
  ) {
    this.address = address;
    this.#client = client;
    this.#parameters = parameters;
    this.#silenceMilliseconds = options.silenceMilliseconds ?? SILENCE_MILLISECONDS;
    this.#stallMilliseconds = options.stallMilliseconds ?? STALL_MILLISECONDS;
    this.#signal = options.signal;
    this.#abort = () => this.#end(this.#signal?.reason);
    takeCopiedData(client, () => this.#running, { keeps: false });
    client.on('error', (error) => void (this.#lost ??= error));
    client.on('notice', ({ severity, code, message }) => {
      this.#notices.push({ severity: severity ?? '', code: code ?? '', message: message ?? '' });
    });
    options.signal?.addEventListener('abort', this.#abort, { once: true });
  }

  /** Throws a `SourceError` that says why the server cannot be used for backups, and what to do. */
  static async open(address: ServerAddress, options: ConnectOptions = {}): Promise<ReplicationConnection> {
    options.signal?.throwIfAborted();
    const tls = tlsOptions(address);
    try {
      return await ReplicationConnection.#dial(address, tls, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      const plainWillDo =
        address.tls === 'prefer' && tls !== false && /does not support SSL/.test(String(error));
      if (!plainWillDo) throw connectFailure(error, address);
    }
    try {
      return await ReplicationConnection.#dial(address, false, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw connectFailure(error, address);
    }
  }

  static async #dial(
    address: ServerAddress,
    tls: ReturnType<typeof tlsOptions>,
    options: ConnectOptions,
  ): Promise<ReplicationConnection> {
    const config = {
      host: address.host,
      port: address.port,
      user: address.user,
      // A text in any case: without one `pg` would look for a password file of its own.
      password: address.password ?? '',
      database: 'replication',
      ssl: tls,
      // Under TLS what is read from the socket is not what was sent.
      ...(tls === false ? { stream: reusingSocket } : {}),
      replication: 'true',
      application_name: options.applicationName ?? 'catena',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MILLISECONDS,
      connectionTimeoutMillis: options.connectMilliseconds ?? CONNECT_MILLISECONDS,
      // Long commands are watched by their silence; a limit on their length would end a long backup.
      query_timeout: 0,
    };
    const client = new pg.Client(config);
    const parameters = new Map<string, string>();
    client.connection.on('parameterStatus', (status: { parameterName: string; parameterValue: string }) => {
      parameters.set(status.parameterName, status.parameterValue);
    });
    const stop = () => void client.connection.stream.destroy();
    options.signal?.addEventListener('abort', stop, { once: true });
    try {
      await client.connect();
      return new ReplicationConnection(address, client, parameters, options);
    } catch (error) {
      client.on('error', () => undefined);
      stop();
      throw error;
    } finally {
      options.signal?.removeEventListener('abort', stop);
    }
  }

  /** E.g. `18.4`. */
  get serverVersion(): string {
    return (this.#parameters.get('server_version') ?? '').split(' ', 1)[0] ?? '';
  }

  /** E.g. 18; 0 when the server did not say. */
  get majorVersion(): number {
    return Number.parseInt(this.serverVersion, 10) || 0;
  }

  /** What the server had to say and nobody took yet. */
  get notices(): readonly Notice[] {
    return this.#notices;
  }

  /** What the server had to say since this was last asked. */
  takeNotices(): Notice[] {
    return this.#notices.splice(0);
  }

  /** Sends a command and waits for its whole answer. */
  async ask(text: string): Promise<Answer> {
    const command = this.begin(text);
    return await this.completed(command);
  }

  /** The only row of a command's only result set. */
  async row(text: string): Promise<Row> {
    const { resultSets } = await this.ask(text);
    const row = resultSets[0]?.[0];
    if (row !== undefined) return row;
    throw commandFailure(new Error(`'${text}' gave no row`), text, this.address);
  }

  /**
   * Sends a command whose data is read or written while it runs.
   * @param gathering how the data is given out; each message by itself by default
   */
  begin(text: string, gathering: Gathering = { joined: false }): Command {
    this.#signal?.throwIfAborted();
    if (this.#lost !== undefined) throw commandFailure(this.#lost, text, this.address);
    if (this.#running !== undefined)
      throw new Error(`'${text}' was sent while '${this.#running.text}' runs.`);
    const command = new Command(text, new GatheredPieces(gathering));
    this.#running = command;
    this.#client.query(command);
    this.#watchSilence(command);
    const over = () => {
      if (this.#running === command) this.#running = undefined;
      clearInterval(this.#watch);
    };
    command.done.then(over, over);
    return command;
  }

  /** Which way data flows in a command that has begun; its failure, said for people. */
  async flowing(command: Command): Promise<'in' | 'out' | 'both' | 'none'> {
    return await this.#said(command, command.copying);
  }

  /** The answer of a command that has begun; its failure, said for people. */
  async completed(command: Command): Promise<Answer> {
    return await this.#said(command, command.done);
  }

  /** What a failure of reading the data of a command means for people. */
  failureOf(error: unknown, command: Command): unknown {
    return this.#signal?.aborted === true
      ? this.#signal.reason
      : commandFailure(error, command.text, this.address);
  }

  /** Ends the connection at once; a command that runs is aborted, also at the server. */
  close(): void {
    this.#end(new Error('the connection was closed'));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #said<T>(command: Command, promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      throw this.failureOf(error, command);
    }
  }

  #end(reason: unknown): void {
    this.#signal?.removeEventListener('abort', this.#abort);
    clearInterval(this.#watch);
    this.#lost ??= reason;
    this.#running?.handleError(reason);
    // A server that is held back would notice only when it sends again.
    this.#client.connection.stream.resume();
    this.#client.connection.stream.destroy();
  }

  /** Neither side may keep the other waiting for ever. */
  #watchSilence(command: Command): void {
    const { stream } = this.#client.connection;
    const limits = { silence: this.#silenceMilliseconds, stall: this.#stallMilliseconds };
    this.#lastHeard = performance.now();
    const heard = () => void (this.#lastHeard = performance.now());
    stream.on('data', heard);
    this.#watch = setInterval(
      () => {
        const quiet = performance.now() - this.#lastHeard;
        if (stream.isPaused() && quiet > limits.stall) this.#end(this.#stalled(limits.stall));
        else if (!stream.isPaused() && quiet > limits.silence)
          this.#end(this.#silent(command, limits.silence));
      },
      Math.min(limits.silence / 4, limits.stall / 4, 5_000),
    );
    stream.on('resume', heard);
    const over = () => void stream.off('data', heard).off('resume', heard);
    command.done.then(over, over);
  }

  #stalled(limit: number): SourceError {
    return new SourceError(
      'source.connectionLost',
      `The repository took no data for ${Math.round(limit / 1000)} s, so the PostgreSQL server at ${shownAddress(this.address)} was let go: it keeps log for a backup that runs.`,
      { remedy: 'Look at the repository: its disk or its network does not answer.', retryable: true },
    );
  }

  #silent(command: Command, limit: number): SourceError {
    const at = shownAddress(this.address);
    return new SourceError(
      'source.connectionLost',
      `The PostgreSQL server at ${at} said nothing for ${Math.round(limit / 1000)} s while it carried out ${command.text.split(/[\s(]/, 1)[0] ?? ''}.`,
      {
        remedy:
          'Look at the server and at the network between; a checkpoint may take long, then say checkpoint: fast.',
        retryable: true,
        details: { address: at },
      },
    );
  }
}
