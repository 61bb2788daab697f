import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HealthServer } from './health-server.ts';
import { Readiness } from './readiness.ts';

describe('the health endpoints', () => {
  let readiness: Readiness;
  let server: HealthServer;
  let address: string;
  beforeEach(async () => {
    readiness = new Readiness();
    server = new HealthServer(readiness);
    address = await server.listen('127.0.0.1', 0);
  });
  afterEach(() => server.close());

  it('binds any free port of the loopback and says which', () => {
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('is live without being ready', async () => {
    readiness.register('database', () => ({ ok: false, detail: 'not connected' }));
    expect((await fetch(`${address}/health/live`)).status).toBe(200);
    const ready = await fetch(`${address}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({
      ready: false,
      checks: { database: { ok: false, detail: 'not connected' } },
    });
  });

  it('is ready when every named check is', async () => {
    readiness.register('nats', () => Promise.resolve({ ok: true }));
    const ready = await fetch(`${address}/health/ready?verbose`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ ready: true, checks: { nats: { ok: true } } });
  });

  it('counts a check that throws as failed, with its reason', async () => {
    readiness.register('nats', () => Promise.reject(new Error('connection refused')));
    expect(await (await fetch(`${address}/health/ready`)).json()).toEqual({
      ready: false,
      checks: { nats: { ok: false, detail: 'connection refused' } },
    });
  });

  it('knows nothing else', async () => {
    expect((await fetch(`${address}/`)).status).toBe(404);
  });
});
