import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as it came. */
export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly event: { id: string; type: string; subject: string; data: Record<string, unknown> } & Record<
    string,
    unknown
  >;
}

/** A receiver of webhooks as somebody else runs it: it can refuse, and it can be gone and come back on its port. */
export class WebhookReceiver implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly port: number;
  /** What it answers to the next requests; 204 when there is nothing left. */
  readonly answers: number[] = [];
  #server: Server | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<WebhookReceiver> {
    // Any free port, kept for its whole life.
    const probe = createServer();
    const { port } = await new Promise<AddressInfo>((resolve) =>
      probe.listen(0, '127.0.0.1', () => resolve(probe.address() as AddressInfo)),
    );
    await new Promise((resolve) => probe.close(resolve));
    const receiver = new WebhookReceiver(port);
    await receiver.comeBack();
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hooks/backups`;
  }

  /** Ids of the events, in the order in which they came. */
  get ids(): string[] {
    return this.received.map(({ event }) => event.id);
  }

  async comeBack(): Promise<void> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        const event = JSON.parse(body) as Received['event'];
        this.received.push({ headers: request.headers, body, event });
        response.writeHead(this.answers.shift() ?? 204).end();
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.port, '127.0.0.1', resolve);
    });
    this.#server = server;
  }

  async goAway(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.goAway();
  }
}
