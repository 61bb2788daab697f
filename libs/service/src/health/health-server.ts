import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readiness } from './readiness.ts';

/** `/health/live` answers while the event loop turns; `/health/ready` answers 200 or 503 with every check by name. */
export class HealthServer {
  readonly #readiness: Readiness;
  #server: Server | undefined;

  constructor(readiness: Readiness) {
    this.#readiness = readiness;
  }

  /** Binds and returns the base address, with the port that was taken. */
  async listen(host: string, port: number): Promise<string> {
    const server = createServer((request, response) => {
      void this.#answer(request.url ?? '/', response);
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    const bound = server.address() as AddressInfo;
    return `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  async #answer(url: string, response: ServerResponse): Promise<void> {
    const path = url.split('?')[0];
    if (path === '/health/live') return send(response, 200, { live: true });
    if (path !== '/health/ready') return send(response, 404, { error: 'not found' });
    const state = await this.#readiness.examine();
    return send(response, state.ready ? 200 : 503, state);
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
