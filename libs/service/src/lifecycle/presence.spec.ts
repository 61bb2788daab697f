import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  presenceRequest,
  requestSubject,
  startingRequest,
  type CatenaError,
  type Reply,
} from '@catena/events';
import {
  eventually,
  memoryPorts,
  testPlatform,
  type SharedPorts,
  type TestPlatform,
} from '../testing/index.ts';
import { Presence } from './presence.ts';
import { Service } from './service.ts';

describe('the presence of a service', () => {
  let ports: SharedPorts;
  let platform: TestPlatform;
  let stop: () => Promise<void>;

  beforeEach(() => {
    ports = memoryPorts();
    platform = testPlatform('scheduler', 's1', ports);
  });
  afterEach(() => stop());

  const answers = async (contract: Parameters<typeof requestSubject>[0]) =>
    await ports.messages.ask(requestSubject(contract), {}).then(
      (reply) => (reply as Extract<Reply, { ok: true }>).result,
      (error: unknown) => (error as CatenaError).code,
    );

  it('is that of one that starts from its connection on, until what its start takes is done', async () => {
    let read = 3;
    platform.readiness.startsWith('log', () => (read < 10 ? `has read ${read} of 10` : undefined));
    const presence = await Presence.begin(platform);
    stop = () => presence.stop();
    const starting = { instance: 's1', unfinished: { log: 'has read 3 of 10' }, ailing: {} };
    expect(await answers(startingRequest('scheduler'))).toEqual(starting);
    presence.rise();
    expect(await answers(presenceRequest('scheduler'))).toBe('messages.no-responder');
    expect(await platform.readiness.examine()).toMatchObject({
      ready: true,
      starting: { log: 'has read 3 of 10', presence: 'is not told yet' },
    });
    read = 10;
    await eventually('the presence', async () => (await platform.readiness.examine()).starting === undefined);
    expect(await answers(presenceRequest('scheduler'))).toEqual({
      instance: 's1',
      unfinished: {},
      ailing: {},
    });
    expect(await answers(startingRequest('scheduler'))).toBe('messages.no-responder');
  });

  it('says what ails it', async () => {
    platform.readiness.register('database', () => ({ ok: false, detail: 'connection refused' }));
    const service = await Service.start(platform, { modules: [] });
    stop = () => service.stop();
    await eventually('the presence', async () => (await platform.readiness.examine()).starting === undefined);
    expect(await answers(presenceRequest('scheduler'))).toMatchObject({
      ailing: { database: 'connection refused' },
    });
  });

  it('ends with the service, also one whose start fails', async () => {
    const service = await Service.start(platform, { modules: [] });
    await service.stop();
    stop = () => Promise.resolve();
    const gone = testPlatform('scheduler', 's2', ports, undefined, { CATENA_HEALTH_HOST: '203.0.113.1' });
    await expect(Service.start(gone, { modules: [] })).rejects.toThrow();
    expect(await answers(startingRequest('scheduler'))).toBe('messages.no-responder');
    expect(await answers(presenceRequest('scheduler'))).toBe('messages.no-responder');
  });
});
