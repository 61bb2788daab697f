import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { commandedRunId, domainEvent, freshId, type AnyDomainEvent } from '@catena/events';
import { appendDecided, Service, systemClock } from '@catena/service';
import { eventually, memoryPorts, testPlatform, type SharedPorts } from '@catena/service/testing';
import { SubscriptionRunner } from './subscription-runner.ts';
import { SubscriptionsModule } from './subscriptions.module.ts';

interface Delivered {
  readonly path: string;
  readonly type: string;
  readonly subject: string;
}

describe('subscriptions', () => {
  let ports: SharedPorts;
  let services: Service[];
  let receiver: Server;
  let address: string;
  let delivered: Delivered[];
  let forgotten: string[];
  let answer: (event: Delivered) => number;

  beforeEach(async () => {
    delivered = [];
    answer = () => 204;
    receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const event = JSON.parse(Buffer.concat(chunks).toString()) as Delivered;
        const got = { path: request.url ?? '', type: event.type, subject: event.subject };
        const status = answer(got);
        if (status < 300) delivered.push(got);
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    ports = memoryPorts();
    forgotten = [];
    const { eventLog } = ports;
    const forget = eventLog.forget.bind(eventLog);
    eventLog.forget = async (name) => {
      await forget(name);
      forgotten.push(name);
    };
    services = [];
    for (const instance of ['c1', 'c2']) {
      const environment = { CATENA_DELIVERY_BACKOFF_SECONDS: '0,0' };
      const platform = testPlatform('chain-catalog', instance, ports, systemClock, environment);
      services.push(await Service.start(platform, { modules: [SubscriptionsModule] }));
    }
  });
  afterEach(async () => {
    for (const service of services) await service.stop();
    await new Promise((resolve) => receiver.close(resolve));
  });

  async function append(...events: AnyDomainEvent[]): Promise<void> {
    const [first] = events;
    const type = first?.type.slice(0, first.type.indexOf('.')) as 'run';
    const aggregate = { type, id: first?.aggregateId ?? '' };
    const head = await ports.eventLog.head(aggregate);
    const id = freshId();
    await appendDecided(ports.eventLog, events, [{ aggregate, head }], {
      time: new Date().toISOString(),
      actor: 'person:tester',
      correlationId: id,
      causationId: id,
    });
  }

  const subscribe = (generation: number, path: string, more: Record<string, unknown>) =>
    append(
      domainEvent('definition.applied', 'subscription-hear', {
        kind: 'Subscription',
        name: 'hear',
        uid: 'uid-hear',
        generation,
        labels: {},
        spec: { to: { webhook: { url: `${address}${path}` } }, ...more },
      }),
    );

  /** A run of a source, from its request to its end. */
  async function runOf(
    source: string,
    end: 'run.completed' | 'run.refused' = 'run.completed',
  ): Promise<string> {
    const run = commandedRunId(freshId());
    const request = { kind: 'backup', source, repository: 'vault', type: 'full', copyOnly: false } as const;
    const statistics = { files: 0, bytes: 0, bytesRead: 0, bytesAdded: 0, milliseconds: 0 };
    await append(
      domainEvent('run.requested', run, { request }),
      end === 'run.refused'
        ? domainEvent('run.refused', run, { failure: { code: 'x', message: 'm', retryable: false } })
        : domainEvent('run.completed', run, {
            attempt: 1,
            mover: 'm',
            outcome: 'completed',
            warnings: [],
            warningCount: 0,
            statistics,
          }),
    );
    return `run/${run}`;
  }

  const subjects = () => delivered.map(({ subject }) => subject);
  const count = (wanted: number) => eventually(`${wanted} deliveries`, () => delivered.length >= wanted);

  it('hear of what they name, from when they were defined, each event once from two catalogs', async () => {
    await runOf('docs');
    await subscribe(1, '/a', { events: ['run.completed', 'run.failed'] });
    const wanted = [await runOf('docs'), await runOf('mail', 'run.refused'), await runOf('mail')];
    await count(3);
    expect(subjects().sort()).toEqual(wanted.sort());
    expect(delivered.map(({ type }) => type).sort()).toEqual([
      'run.completed',
      'run.completed',
      'run.refused',
    ]);
  });

  it('may be about some sources only', async () => {
    await subscribe(1, '/a', { events: ['run.*'], sources: ['mail'] });
    await runOf('docs');
    const wanted = await runOf('mail');
    await count(2);
    expect(subjects()).toEqual([wanted, wanted]);
  });

  it('get an event again until they take it; what they never take is a dead letter and holds nothing up', async () => {
    const refused = new Set<string>();
    answer = ({ subject, type }) => {
      if (type !== 'run.refused' && refused.has(subject)) return 204;
      refused.add(subject);
      return 503;
    };
    await subscribe(1, '/a', { events: ['run.completed', 'run.refused'] });
    const first = await runOf('docs');
    await count(1);
    expect(subjects()).toEqual([first]);
    await runOf('docs', 'run.refused');
    const last = await runOf('docs');
    await count(2);
    await eventually('the dead letter', async () => (await ports.eventLog.deadLetters.count()) === 1);
    expect(subjects()).toEqual([first, last]);
    expect(await ports.eventLog.deadLetters.list()).toMatchObject([
      { consumer: 'subscription-uid-hear', error: { code: 'subscription.delivery-failed' } },
    ]);
  });

  it('whose receiver keeps failing are named, with the last error', async () => {
    const shared = memoryPorts();
    const environment = { CATENA_DELIVERY_BACKOFF_SECONDS: '0,3600' };
    const platform = testPlatform('chain-catalog', 'c3', shared, systemClock, environment);
    for (const service of services) await service.stop();
    services = [await Service.start(platform, { modules: [SubscriptionsModule] })];
    ports = shared;
    answer = () => 503;
    await subscribe(1, '/a', { events: ['run.completed'] });
    const failing = () => services[0]?.get<SubscriptionRunner>(SubscriptionRunner).failing() ?? [];
    expect(await failing()).toEqual([]);
    await runOf('docs');
    const [named] = await eventually('a failing delivery', async () => {
      const found = await failing();
      return found.length > 0 && found;
    });
    expect(named).toMatchObject({ subscription: 'hear', events: 1 });
    expect(named?.error).toContain('503');
  });

  it('go on where they were when they are changed, and end when they are deleted', async () => {
    await subscribe(1, '/a', { events: ['run.completed'] });
    await runOf('docs');
    await count(1);
    await subscribe(2, '/b', { events: ['run.completed'] });
    await eventually('the new address', async () => {
      await runOf('docs');
      return delivered.some(({ path }) => path === '/b');
    });
    await append(
      domainEvent('definition.deleted', 'subscription-hear', {
        kind: 'Subscription',
        name: 'hear',
        uid: 'uid-hear',
      }),
    );
    await eventually('silence', async () => {
      const before = delivered.length;
      await runOf('docs');
      await new Promise((resolve) => setTimeout(resolve, 100));
      return delivered.length === before;
    });
    await eventually('that both catalogs forget it', () => forgotten.length === 2);
    expect(new Set(forgotten)).toEqual(new Set(['subscription-uid-hear']));
  });

  it('that were deleted while no catalog ran leave nothing in the log either', async () => {
    await subscribe(1, '/a', { events: ['run.completed'] });
    for (const service of services) await service.stop();
    await append(
      domainEvent('definition.deleted', 'subscription-hear', {
        kind: 'Subscription',
        name: 'hear',
        uid: 'uid-hear',
      }),
    );
    const platform = testPlatform('chain-catalog', 'c3', ports);
    services = [await Service.start(platform, { modules: [SubscriptionsModule] })];
    await eventually('that it is forgotten', () => forgotten.length > 0);
  });
});
