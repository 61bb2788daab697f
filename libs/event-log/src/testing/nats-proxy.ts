import { connect as dial, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * Stands between a client and its server and loses what real networks lose. Bytes pass unchanged until a fault is
 * armed.
 */
export class NatsProxy {
  readonly #server: Server;
  readonly #pairs = new Set<{ client: Socket; upstream: Socket }>();
  #fault: Fault | undefined;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(target: { host: string; port: number }): Promise<NatsProxy> {
    const server = createServer();
    const proxy = new NatsProxy(server);
    server.on('connection', (client) => proxy.#join(client, dial(target)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /**
   * Arms a fault for the next connection that sends the text: `losesAnswer` lets the server have it and cuts the
   * connection instead of carrying its answer; `losesQuestion` cuts the connection instead of carrying it. Resolves when
   * it has happened.
   */
  arm(kind: 'losesAnswer' | 'losesQuestion', text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#fault = { kind, text, happened: resolve };
    });
  }

  /** Cuts every connection. */
  cut(): void {
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #join(client: Socket, upstream: Socket): void {
    const pair = { client, upstream };
    this.#pairs.add(pair);
    let swallowing: Fault | undefined;
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('close', end);
      // A broken connection is what this is for; both ends hear of it by the close.
      socket.on('error', end);
    }
    client.on('data', (bytes) => {
      const fault = this.#fault;
      if (!fault || !bytes.includes(fault.text)) {
        upstream.write(bytes);
        return;
      }
      this.#fault = undefined;
      if (fault.kind === 'losesAnswer') {
        swallowing = fault;
        upstream.write(bytes);
        return;
      }
      end();
      fault.happened();
    });
    upstream.on('data', (bytes) => {
      if (!swallowing) {
        client.write(bytes);
        return;
      }
      end();
      swallowing.happened();
    });
  }
}

interface Fault {
  readonly kind: 'losesAnswer' | 'losesQuestion';
  readonly text: string;
  readonly happened: () => void;
}
