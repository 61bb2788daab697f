import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startTestNats, type TestNats } from '@catena/embedded/testing';
import { ConcurrencyConflictError } from '../port/errors.ts';
import { EMPTY_HEAD, type EventLog } from '../port/event-log.ts';
import { connectAs, FreshLogs } from '../testing/fresh-logs.ts';
import { allOf, collect, range } from '../testing/reading.ts';
import { claimsOf, part, runRef } from '../testing/sample-events.ts';
import { verifyLog } from '../transfer/verify-log.ts';
import { openJobQueue } from './jetstream-job-queue.ts';
import { openEventLog } from './jetstream-event-log.ts';
import type { NatsLink } from './nats-link.ts';
import { EVENTS_STREAM } from './stream-settings.ts';

const PATIENCE = { patienceMilliseconds: 60_000 };

let nats: TestNats;
let logs: FreshLogs;
let log: EventLog;

beforeAll(async () => {
  nats = await startTestNats();
  logs = new FreshLogs(nats);
});

beforeEach(async () => {
  log = await logs.open(PATIENCE);
});

afterAll(async () => {
  await logs.close();
  await nats.close();
});

async function killAndRestart(): Promise<void> {
  await nats.kill9();
  await nats.restart();
}

describe('a server that is killed in the middle of appends', () => {
  it('loses nothing it acknowledged and doubles nothing', async () => {
    const links = await Promise.all([connectAs(nats, 'scheduler'), connectAs(nats, 'mover')]);
    let running = true;
    const acknowledged: string[] = [];
    let appends = 0;
    const appender = async (link: NatsLink, name: string) => {
      const own = await openEventLog(link, PATIENCE);
      for (let turn = 0; running; turn++) {
        const run = `run-${turn % 5}`;
        const events = claimsOf(run, 1 + (turn % 3), `${name}/${turn}`);
        for (;;) {
          try {
            await own.append([part(runRef(run), await own.head(runRef(run)), events)]);
            break;
          } catch (thrown) {
            if (!(thrown instanceof ConcurrencyConflictError)) throw thrown;
          }
        }
        acknowledged.push(...events.map(({ id }) => id));
        appends += 1;
      }
    };
    const appending = Promise.all(links.map((link, index) => appender(link, `appender-${index}`)));
    const reached = async (count: number) => {
      while (appends < count)
        await Promise.race([appending, new Promise((resolve) => setTimeout(resolve, 2))]);
    };
    for (let kill = 1; kill <= 3; kill++) {
      await reached(appends + 60);
      await killAndRestart();
    }
    await reached(appends + 60);
    running = false;
    await appending;
    const ids = (await allOf(log.read())).map(({ id }) => id);
    expect(ids.length).toBe(new Set(ids).size);
    expect([...ids].sort()).toEqual([...acknowledged].sort());
    expect(await verifyLog(log)).toMatchObject({ problemCount: 0, aggregates: 5 });
    for (const link of links) await link.close();
  });

  it('has a batch whole or not at all', async () => {
    let first = 0;
    for (let turn = 1; turn <= 3; turn++) {
      const runs = range(1, 10).map((index) => `run-${turn}-${index}`);
      const appending = log.append(runs.map((run) => part(runRef(run), EMPTY_HEAD, claimsOf(run, 50))));
      await killAndRestart();
      const { sequence } = await appending;
      expect(sequence).toBe(first + 500);
      expect(await log.lastSequence()).toBe(sequence);
      first = sequence;
    }
    expect(await verifyLog(log)).toMatchObject({ problemCount: 0, events: 1500 });
  });

  it('takes an append that began while it was down', async () => {
    await nats.stop();
    const appending = log.append([part(runRef('run-a'), EMPTY_HEAD, claimsOf('run-a', 2))]);
    await nats.restart();
    expect(await appending).toMatchObject({ sequence: 2, repeated: false });
  });
});

describe('a server that is killed or restarted under a follower', () => {
  it.each([
    ['killed', killAndRestart],
    [
      'restarted',
      async () => {
        await nats.stop();
        await nats.restart();
      },
    ],
  ])('misses nothing and repeats nothing: %s', async (_, interrupt) => {
    const stop = new AbortController();
    const seen = collect(log.follow({ from: 1, signal: stop.signal, batchSize: 50 }));
    const add = async (run: string, count: number) =>
      (await log.append([part(runRef(run), EMPTY_HEAD, claimsOf(run, count))])).sequence;
    await seen.reached(await add('run-1', 3));
    await interrupt();
    await seen.reached(await add('run-2', 100));
    const last = add('run-3', 200);
    await interrupt();
    await seen.reached(await last);
    stop.abort();
    await seen.ended;
    expect(seen.sequences).toEqual(range(1, 303));
  });

  it('goes on when its reader is taken away', async () => {
    const stop = new AbortController();
    const seen = collect(log.follow({ from: 1, signal: stop.signal }));
    await log.append([part(runRef('run-1'), EMPTY_HEAD, claimsOf('run-1', 1))]);
    await seen.reached(1);
    const { consumers } = await (await logs.link('admin')).manager();
    for (const { name } of await consumers.list(EVENTS_STREAM).next())
      await consumers.delete(EVENTS_STREAM, name);
    await log.append([part(runRef('run-2'), EMPTY_HEAD, claimsOf('run-2', 2))]);
    await seen.reached(3);
    stop.abort();
    expect(seen.sequences).toEqual([1, 2, 3]);
  });
});

describe('a server that comes back with an older log', () => {
  it('is noticed by a follower that had read more', async () => {
    const add = async (run: string, count: number) =>
      (await log.append([part(runRef(run), EMPTY_HEAD, claimsOf(run, count))])).sequence;
    const older = await mkdtemp(path.join(tmpdir(), 'catena-older-'));
    const seen = collect(log.follow({ from: 1, signal: new AbortController().signal }));
    await seen.reached(await add('run-1', 1));
    await nats.stop();
    await cp(nats.folder, older, { recursive: true });
    await nats.restart();
    await seen.reached(await add('run-2', 2));
    await nats.stop();
    await rm(nats.folder, { recursive: true });
    await cp(older, nats.folder, { recursive: true });
    await nats.restart();
    await expect(seen.ended).rejects.toMatchObject({
      code: 'event-log.position-beyond',
      details: { position: 3, last: 1 },
    });
    await rm(older, { recursive: true });
  });

  it('or with none', async () => {
    const seen = collect(log.follow({ from: 1, signal: new AbortController().signal }));
    await log.append([part(runRef('run-1'), EMPTY_HEAD, claimsOf('run-1', 1))]);
    await seen.reached(1);
    await nats.stop();
    for (const entry of await readdir(nats.folder, { withFileTypes: true })) {
      if (entry.isDirectory()) await rm(path.join(nats.folder, entry.name), { recursive: true });
    }
    await nats.restart();
    await expect(seen.ended).rejects.toMatchObject({ code: 'event-log.stream-missing', retryable: true });
  });
});

describe('a server that is away when everything stops', () => {
  it('keeps nobody waiting', async () => {
    const stop = new AbortController();
    const queue = openJobQueue(await logs.link('mover'));
    const following = collect(log.follow({ from: 1, signal: stop.signal })).ended;
    const delivering = log.deliver({ name: 'mail', backoff: [], signal: stop.signal }, () =>
      Promise.resolve(),
    );
    const taking = queue.take({ kinds: ['backup'], waitMilliseconds: 60_000, signal: stop.signal });
    await nats.kill9();
    const late = collect(log.follow({ from: 1, signal: stop.signal })).ended;
    stop.abort();
    expect(await Promise.all([following, delivering, taking, late])).toEqual(Array(4).fill(undefined));
    await queue.close();
    await nats.restart();
  });
});

describe('a server that is killed while a connection to it closes', () => {
  it('keeps nobody waiting', async () => {
    const link = await connectAs(nats, 'mover');
    const stop = new AbortController();
    const following = collect((await openEventLog(link)).follow({ from: 1, signal: stop.signal })).ended;
    stop.abort();
    await following;
    process.kill(nats.pid, 'SIGKILL');
    await link.close();
    await nats.restart();
  });
});

describe('a server that is killed under a durable subscription', () => {
  it('delivers everything at least once, and its position survives', async () => {
    const stop = new AbortController();
    const handled = new Set<number>();
    let wake = () => {};
    const delivering = log.deliver(
      { name: 'mail', backoff: [10], signal: stop.signal },
      async ({ sequence }) => {
        handled.add(sequence);
        wake();
      },
    );
    const until = async (count: number) => {
      while (handled.size < count)
        await Promise.race([delivering, new Promise<void>((resolve) => (wake = resolve))]);
    };
    await log.append([part(runRef('run-1'), EMPTY_HEAD, claimsOf('run-1', 20))]);
    await until(5);
    await killAndRestart();
    await log.append([part(runRef('run-2'), EMPTY_HEAD, claimsOf('run-2', 20))]);
    await until(40);
    stop.abort();
    await delivering;
    expect([...handled].sort((a, b) => a - b)).toEqual(range(1, 40));
  });
});
