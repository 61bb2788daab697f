import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { deliverToWebhook } from './deliver-to-webhook.ts';

const event = { id: 'e1', type: 'run.failed', specversion: '1.0', data: { attempt: 1 } };
const never = new AbortController().signal;

describe('a delivery to a webhook', () => {
  let server: Server;
  let url: string;
  let status: number;
  let received: { headers: IncomingHttpHeaders; body: string }[];

  beforeEach(async () => {
    status = 204;
    received = [];
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
        response.writeHead(status, { location: '/elsewhere' }).end('thanks');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/token-4711`;
  });
  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
  });

  it('is a structured CloudEvent whose signature covers time and body', async () => {
    await deliverToWebhook({ url, secret: 'hunter2' }, event, 1_700_000_000_500, never);
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    expect(JSON.parse(body)).toEqual(event);
    const mac = createHmac('sha256', 'hunter2').update(`1700000000.${body}`).digest('hex');
    expect(headers['catena-signature']).toBe(`t=1700000000,v1=${mac}`);
  });

  it('is not signed without a secret', async () => {
    await deliverToWebhook({ url, secret: undefined }, event, 0, never);
    expect(received[0]?.headers).not.toHaveProperty('catena-signature');
  });

  it.each([302, 404, 410, 500])(
    'fails on %d, without following and without showing the path',
    async (answer) => {
      status = answer;
      const failure = deliverToWebhook({ url, secret: undefined }, event, 0, never);
      await expect(failure).rejects.toMatchObject({ code: 'subscription.delivery-failed', retryable: true });
      await expect(failure).rejects.toThrow(String(answer));
      await expect(failure).rejects.not.toThrow('token-4711');
      expect(received).toHaveLength(1);
    },
  );

  it('fails when nobody listens', async () => {
    const failure = deliverToWebhook({ url: 'http://127.0.0.1:9/', secret: undefined }, event, 0, never);
    await expect(failure).rejects.toMatchObject({ code: 'subscription.delivery-failed' });
  });
});
