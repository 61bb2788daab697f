import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { nanos } from '@nats-io/nats-core';
import { startTestNats, type TestNats } from '@catena/embedded/testing';
import { EMPTY_HEAD, type EventLog } from '../port/event-log.ts';
import { connectAs, FreshLogs } from '../testing/fresh-logs.ts';
import { NatsProxy } from '../testing/nats-proxy.ts';
import { allOf } from '../testing/reading.ts';
import { claimsOf, part, runRef } from '../testing/sample-events.ts';
import { openEventLog } from './jetstream-event-log.ts';
import type { NatsLink } from './nats-link.ts';
import { EVENTS_STREAM } from './stream-settings.ts';

let nats: TestNats;
let logs: FreshLogs;
let proxy: NatsProxy;
let link: NatsLink;
/** The log behind the proxy, and the same log beside it. */
let log: EventLog;
let beside: EventLog;

beforeAll(async () => {
  nats = await startTestNats();
  logs = new FreshLogs(nats);
  proxy = await NatsProxy.start(nats);
  link = await connectAs(nats, 'mover', proxy.url);
});

beforeEach(async () => {
  beside = await logs.open();
  log = await openEventLog(link);
});

afterAll(async () => {
  await link.close();
  await proxy.close();
  await logs.close();
  await nats.close();
});

const run = runRef('run-a');

describe('an append whose answer is lost', () => {
  it.each([
    ['one event, which the server then answers with 10071', 1],
    ['a batch, which the server then answers with 10201', 3],
    ['the largest batch', 1000],
  ])('is found to have succeeded: %s', async (_, count) => {
    const lost = proxy.arm('losesAnswer', count === 1 ? 'Nats-Msg-Id' : 'Nats-Batch-Commit');
    const result = await log.append([part(run, EMPTY_HEAD, claimsOf('run-a', count))]);
    await lost;
    expect(result).toMatchObject({ sequence: count, repeated: true });
    expect(result.heads).toEqual([await beside.head(run)]);
    expect(await allOf(beside.read())).toHaveLength(count);
  });

  it('is found behind the events of others', async () => {
    const lost = proxy.arm('losesAnswer', 'Nats-Msg-Id');
    const appending = log.append([part(run, EMPTY_HEAD, claimsOf('run-a', 1))]);
    await lost;
    await beside.append([part(run, await beside.head(run), claimsOf('run-a', 2, 'another'))]);
    expect(await appending).toMatchObject({ sequence: 1, repeated: true });
    expect(await beside.lastSequence()).toBe(3);
  });

  it('is found when the server has forgotten its ids', async () => {
    const { streams } = await (await logs.link('operator')).manager();
    await streams.update(EVENTS_STREAM, { duplicate_window: nanos(100) });
    for (const count of [1, 2]) {
      const parts = [part(runRef(`run-${count}`), EMPTY_HEAD, claimsOf(`run-${count}`, count))];
      const first = await log.append(parts);
      await new Promise((resolve) => setTimeout(resolve, 600));
      expect(await log.append(parts)).toEqual({ ...first, repeated: true });
    }
    expect(await beside.lastSequence()).toBe(3);
  });

  it('is a conflict when others were there first', async () => {
    await beside.append([part(run, EMPTY_HEAD, claimsOf('run-a', 1, 'another'))]);
    const lost = proxy.arm('losesAnswer', 'Nats-Msg-Id');
    const appending = log.append([part(run, EMPTY_HEAD, claimsOf('run-a', 1))]);
    await Promise.all([expect(appending).rejects.toMatchObject({ code: 'event-log.conflict' }), lost]);
    expect(await beside.lastSequence()).toBe(1);
  });
});

describe('an append that is lost on its way', () => {
  it.each([
    ['one event', 1, 'Nats-Msg-Id'],
    ['a batch before its commit', 3, 'Nats-Batch-Sequence'],
  ])('is sent again: %s', async (_, count, text) => {
    const lost = proxy.arm('losesQuestion', text);
    const result = await log.append([part(run, EMPTY_HEAD, claimsOf('run-a', count))]);
    await lost;
    expect(result).toMatchObject({ sequence: count, repeated: false });
    expect(await allOf(beside.read())).toHaveLength(count);
  });

  it('says that the log did not answer when the patience runs out, and may be repeated', async () => {
    const impatient = await openEventLog(link, { patienceMilliseconds: 0 });
    const parts = [part(run, EMPTY_HEAD, claimsOf('run-a', 2))];
    const lost = proxy.arm('losesAnswer', 'Nats-Batch-Commit');
    await expect(impatient.append(parts)).rejects.toMatchObject({
      code: 'event-log.unavailable',
      retryable: true,
    });
    await lost;
    expect(await log.append(parts)).toMatchObject({ sequence: 2, repeated: true });
  });
});

describe('reading over connections that break', () => {
  it('misses nothing and repeats nothing', async () => {
    await beside.append([part(run, EMPTY_HEAD, claimsOf('run-a', 1000))]);
    await beside.append([part(runRef('run-b'), EMPTY_HEAD, claimsOf('run-b', 1000))]);
    const seen: number[] = [];
    for await (const { sequence } of log.read()) {
      seen.push(sequence);
      if (sequence % 400 === 0) proxy.cut();
    }
    expect(seen).toEqual(Array.from({ length: 2000 }, (_, index) => index + 1));
  });
});
