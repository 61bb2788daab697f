/** How to reach the NATS server. */
export interface NatsOptions {
  /** `nats://host:port`, several of one cluster separated by commas. */
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Shown in the server's monitoring: `<service>:<instance>`. */
  readonly name: string;
  /**
   * How long to wait for a server that is not there, at the first connection and at every later loss, in milliseconds.
   * Default: for ever, as services want it.
   */
  readonly patienceMilliseconds?: number | undefined;
  /** Told of every loss and return of the connection. */
  readonly onStatus?: ((status: ConnectionStatus) => void) | undefined;
}

export type ConnectionStatus = 'connected' | 'disconnected' | 'closed';
