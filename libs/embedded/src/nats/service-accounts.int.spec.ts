import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager, jetstream, type JetStreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { startTestNats, type TestNats } from '../testing/test-nats.ts';
import { NATS_ROLES, type NatsRole } from './service-accounts.ts';

let nats: TestNats;
const connections = new Map<NatsRole, NatsConnection>();

function as(role: NatsRole): NatsConnection {
  return connections.get(role)!;
}

/** Asks the JetStream API as that user; `refused` when the server does not even take the request. */
async function api(role: NatsRole, subject: string, body: object = {}): Promise<string> {
  try {
    const reply = await as(role).request(`$JS.API.${subject}`, JSON.stringify(body), { timeout: 60_000 });
    const { error } = reply.json<{ error?: { description: string } }>();
    return error ? `error: ${error.description}` : 'done';
  } catch (error) {
    return /permissions violation/i.test(String(error)) ? 'refused' : String(error);
  }
}

/** Publishes as that user into a stream; `refused` when the server does not take the message. */
async function publish(role: NatsRole, subject: string): Promise<string> {
  try {
    await jetstream(as(role)).publish(subject, 'x');
    return 'done';
  } catch (error) {
    return /permissions violation/i.test(String(error)) ? 'refused' : String(error);
  }
}

describe('service accounts', () => {
  beforeAll(async () => {
    nats = await startTestNats();
    for (const role of NATS_ROLES) {
      const { user, password } = nats.users[role];
      connections.set(role, await connect({ servers: nats.url, user, pass: password, reconnect: false }));
    }
    const streams = (await manager('operator')).streams;
    await streams.add({ name: 'CATENA_EVENTS', subjects: ['catena.events.>'], allow_direct: true });
    await streams.add({ name: 'CATENA_JOBS', subjects: ['catena.jobs.>'] });
    await streams.add({ name: 'CATENA_DEAD_LETTERS', subjects: ['catena.dead.letters.>'] });
    await streams.add({ name: 'CATENA_REDELIVERIES', subjects: ['catena.dead.redeliver.>'] });
    expect(await publish('scheduler', 'catena.events.run.r1.requested')).toBe('done');
  });

  afterAll(async () => {
    for (const connection of connections.values()) await connection.close();
    await nats.close();
  });

  function manager(role: NatsRole): Promise<JetStreamManager> {
    return jetstreamManager(as(role));
  }

  const services = ['scheduler', 'chain-catalog', 'mover'] as const;
  const everybody = [...services, 'client', 'operator'] as const;

  it.each(everybody)('never lets %s take events out of the log', async (role) => {
    expect(await api(role, 'STREAM.PURGE.CATENA_EVENTS')).toBe('refused');
    expect(await api(role, 'STREAM.DELETE.CATENA_EVENTS')).toBe('refused');
    expect(await api(role, 'STREAM.MSG.DELETE.CATENA_EVENTS', { seq: 1 })).toBe('refused');
    expect((await (await manager('operator')).streams.info('CATENA_EVENTS')).state.messages).toBeGreaterThan(
      0,
    );
  });

  it.each([...services, 'client'] as const)(
    'lets %s neither make nor change the stream of the log',
    async (role) => {
      const stream = { name: 'CATENA_EVENTS', subjects: ['catena.events.>'], max_msgs: 1 };
      expect(await api(role, 'STREAM.UPDATE.CATENA_EVENTS', stream)).toBe('refused');
      expect(await api(role, 'STREAM.CREATE.CATENA_EVENTS', stream)).toBe('refused');
      expect(await api(role, 'STREAM.RESTORE.CATENA_EVENTS', stream)).toBe('refused');
    },
  );

  it.each(everybody)('lets %s ask nothing of the system account', async (role) => {
    await expect(as(role).request('$SYS.REQ.SERVER.PING', '', { timeout: 60_000 })).rejects.toThrow(
      /permissions/i,
    );
  });

  it.each(services)(
    'lets %s append, queue jobs, read, acknowledge and keep its own buckets',
    async (role) => {
      expect(await publish(role, `catena.events.run.${role}.claimed`)).toBe('done');
      expect(await publish(role, `catena.jobs.backup.${role}`)).toBe('done');
      expect(await publish(role, `catena.dead.letters.${role}`)).toBe('done');
      const jsm = await manager(role);
      await jsm.consumers.add('CATENA_JOBS', {
        durable_name: `jobs-${role}`,
        ack_policy: 'explicit',
        filter_subject: `catena.jobs.*.${role}`,
      });
      const consumer = await jetstream(as(role)).consumers.get('CATENA_JOBS', `jobs-${role}`);
      const job = await consumer.next({ expires: 60_000 });
      expect(await job?.ackAck()).toBe(true);
      const last = await jsm.streams.getMessage('CATENA_EVENTS', {
        last_by_subj: `catena.events.run.${role}.claimed`,
      });
      expect(last?.subject).toBe(`catena.events.run.${role}.claimed`);
      await jsm.streams.add({ name: `KV_catena_${role}`, subjects: [`$KV.catena_${role}.>`] });
      expect(await publish(role, `$KV.catena_${role}.position`)).toBe('done');
      expect(await api(role, `STREAM.DELETE.KV_catena_${role}`)).toBe('done');
    },
  );

  it('lets clients ask and follow the log with positions of their own, but append nothing and take no job', async () => {
    expect(await publish('client', 'catena.events.run.r1.completed')).toBe('refused');
    expect(await publish('client', 'catena.jobs.backup.r1')).toBe('refused');
    expect(await publish('client', 'catena.dead.letters.follower')).toBe('done');
    expect(await publish('client', 'catena.dead.redeliver.follower')).toBe('done');
    expect(await api('client', 'CONSUMER.CREATE.CATENA_JOBS.thief', {})).toBe('refused');
    expect(await api('client', 'STREAM.DELETE.CATENA_JOBS')).toBe('refused');

    as('scheduler').subscribe('catena.requests.scheduler.echo', {
      callback: (_error, message) => void message.respond('heard'),
    });
    await as('scheduler').flush();
    const reply = await as('client').request('catena.requests.scheduler.echo', 'x', { timeout: 60_000 });
    expect(reply.string()).toBe('heard');

    const jsm = await manager('client');
    await jsm.consumers.add('CATENA_EVENTS', { durable_name: 'follower', ack_policy: 'explicit' });
    const consumer = await jetstream(as('client')).consumers.get('CATENA_EVENTS', 'follower');
    const event = await consumer.next({ expires: 60_000 });
    expect(event?.subject).toBe('catena.events.run.r1.requested');
    expect(await event?.ackAck()).toBe(true);
    const direct = await jsm.direct.getMessage('CATENA_EVENTS', { seq: 1 });
    expect(direct?.subject).toBe('catena.events.run.r1.requested');
    expect(await api('client', 'CONSUMER.DELETE.CATENA_EVENTS.follower')).toBe('done');
  });

  it('lets no client answer requests in the place of a service', async () => {
    const heard = new Promise<Error | null>((resolve) => {
      const callback = (error: Error | null) => resolve(error);
      as('client').subscribe('catena.requests.scheduler.echo', { queue: 'scheduler', callback });
    });
    expect((await heard)?.message).toMatch(/permission/i);
  });
});
