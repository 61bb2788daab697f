import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startTestNats, type TestNats } from '@catena/embedded/testing';
import { EMPTY_HEAD } from '../port/event-log.ts';
import { connectAs, FreshLogs, type TestUser } from '../testing/fresh-logs.ts';
import { allOf } from '../testing/reading.ts';
import { claimsOf, part, runRef } from '../testing/sample-events.ts';
import { connectNats } from './connect-nats.ts';
import { openEventLog } from './jetstream-event-log.ts';
import type { NatsLink } from './nats-link.ts';
import { checkEventStream, ensureStreams } from './set-up-streams.ts';
import { EVENTS_SETTINGS, EVENTS_STREAM, JOBS_STREAM, OTHER_STREAMS } from './stream-settings.ts';

let nats: TestNats;
let logs: FreshLogs;

beforeAll(async () => {
  nats = await startTestNats();
  logs = new FreshLogs(nats);
});

beforeEach(() => logs.reset());

afterAll(async () => {
  await logs.close();
  await nats.close();
});

describe('setting the streams up', () => {
  it('may be repeated and keeps what is there', async () => {
    const log = await openEventLog(await logs.link('scheduler'));
    await log.append([part(runRef('run-a'), EMPTY_HEAD, claimsOf('run-a', 2))]);
    await ensureStreams(await logs.link('operator'));
    expect(await log.lastSequence()).toBe(2);
  });

  it('brings the streams beside the log to their settings', async () => {
    const { streams } = await (await logs.link('operator')).manager();
    await streams.update(JOBS_STREAM, { max_msgs: 5 });
    await ensureStreams(await logs.link('operator'));
    expect((await streams.info(JOBS_STREAM)).config.max_msgs).toBe(-1);
  });

  it('leaves a log alone that could lose events, and nobody opens it', async () => {
    const { streams } = await (await logs.link('operator')).manager();
    await streams.update(EVENTS_STREAM, { max_msgs: 1000, max_age: 0, discard: 'old' });
    const refusal = {
      code: 'event-log.stream-misconfigured',
      wrong: [
        { setting: 'max_msgs', wanted: '-1', found: '1000' },
        { setting: 'discard', wanted: '"new"', found: '"old"' },
      ],
    };
    await expect(ensureStreams(await logs.link('operator'))).rejects.toMatchObject(refusal);
    await expect(openEventLog(await logs.link('mover'))).rejects.toMatchObject(refusal);
    expect((await streams.info(EVENTS_STREAM)).config.max_msgs).toBe(1000);
  });

  it('is asked for by name when it was not done', async () => {
    const admin = await (await logs.link('admin')).manager();
    await admin.streams.delete(EVENTS_STREAM);
    await expect(checkEventStream(await logs.link('scheduler'))).rejects.toMatchObject({
      code: 'event-log.stream-missing',
      retryable: true,
    });
  });
});

describe('the accounts of the server', () => {
  const roles: TestUser[] = ['scheduler', 'chain-catalog', 'mover', 'client'];

  /** A refused request is not answered: the client hears of it at once all the same. */
  const refused = async (user: TestUser, ask: (link: NatsLink) => Promise<unknown>) => {
    const link = await connectAs(nats, user);
    try {
      await expect(ask(link)).rejects.toThrow(/permission/i);
    } finally {
      await link.close();
    }
  };

  it.each([...roles, 'operator'] as TestUser[])('let nobody take events out of the log: %s', async (user) => {
    const log = await openEventLog(await logs.link('scheduler'));
    await log.append([part(runRef('run-a'), EMPTY_HEAD, claimsOf('run-a', 3))]);
    await refused(user, async (link) => (await link.manager()).streams.purge(EVENTS_STREAM));
    await refused(user, async (link) => (await link.manager()).streams.delete(EVENTS_STREAM));
    await refused(user, async (link) => (await link.manager()).streams.deleteMessage(EVENTS_STREAM, 2));
    expect(await allOf(log.read())).toHaveLength(3);
  });

  it.each(roles)('let no service and no client change the log: %s', async (user) => {
    const change = { ...EVENTS_SETTINGS, subjects: [...EVENTS_SETTINGS.subjects], max_msgs: 1 };
    await refused(user, async (link) => (await link.manager()).streams.update(EVENTS_STREAM, change));
    await refused(user, async (link) => (await link.manager()).streams.add(change));
  });

  it('let no client append', async () => {
    const link = await connectAs(nats, 'client');
    const log = await openEventLog(link);
    const appending = log.append([part(runRef('run-a'), EMPTY_HEAD, claimsOf('run-a', 1))]);
    await expect(appending).rejects.toMatchObject({ code: 'nats.not-permitted', retryable: false });
    expect(await log.lastSequence()).toBe(0);
    await link.close();
  });

  it('let a client read, follow and subscribe', async () => {
    const service = await openEventLog(await logs.link('scheduler'));
    await service.append([part(runRef('run-a'), EMPTY_HEAD, claimsOf('run-a', 3))]);
    const log = await openEventLog(await logs.link('client'));
    expect(await allOf(log.read({ aggregate: runRef('run-a') }))).toHaveLength(3);
    const stop = new AbortController();
    for await (const batch of log.follow({ from: 1, signal: stop.signal }))
      if (batch.through === 3) stop.abort();
    const done = new AbortController();
    const seen: number[] = [];
    await log.deliver({ name: 'mine', backoff: [], signal: done.signal }, async ({ sequence }) => {
      seen.push(sequence);
      if (sequence === 2) throw new Error('never mind');
      if (seen.length === 3) done.abort();
    });
    expect(seen).toEqual([1, 2, 3]);
    expect(await service.deadLetters.count({ consumer: 'mine' })).toBe(1);
  });

  it('let a service reach every stream that it needs', async () => {
    const { streams } = await (await logs.link('mover')).manager();
    for (const { name } of OTHER_STREAMS) expect((await streams.info(name)).config.name).toBe(name);
  });
});

describe('connecting', () => {
  it('names wrong credentials and servers that are not there', async () => {
    const url = nats.url;
    const wrong = { url, user: 'mover', password: 'guessed', name: 'test', patienceMilliseconds: 60_000 };
    await expect(connectNats(wrong)).rejects.toMatchObject({ code: 'nats.unauthorized', retryable: false });
    const away = { url: 'nats://127.0.0.1:1', name: 'test', patienceMilliseconds: 100 };
    await expect(connectNats(away)).rejects.toMatchObject({ code: 'nats.unreachable', retryable: true });
  });

  it('tells of the loss and the return of the server, and of the end', async () => {
    const told: string[] = [];
    const link = await connectNats({
      url: nats.url,
      ...nats.users.mover,
      name: 'test',
      onStatus: (s) => told.push(s),
    });
    expect(link.server()).toMatchObject({ maxPayload: 8 * 1024 * 1024 });
    await nats.kill9();
    await link.loss().happened;
    await nats.restart();
    await link.settling().happened;
    await link.close();
    expect(told).toEqual(['disconnected', 'connected', 'closed']);
  });

  it('waits for a server that comes later', async () => {
    await nats.stop();
    const connecting = connectNats({ url: nats.url, ...nats.users.mover, name: 'test' });
    await nats.restart();
    await (await connecting).close();
  });
});
