import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RateLimiter } from '@catena/vault';
import type { DriverAlarm } from '../../port/source-driver.ts';
import { postgresDriver } from '../postgres-driver.ts';
import { BackedUpCluster } from '../testing/backed-up-cluster.ts';
import { ReplicationConnection } from '../wire/connection.ts';
import { identifySystem, readSettings } from '../wire/system.ts';
import { holdLog, readHold, slotOf } from './held-log.ts';
import { holdRoom } from './hold-room.ts';
import { HoldWatch } from './hold-watch.ts';

const onlyAtLength = process.env['CATENA_TEST_LONG'] === '1' ? it : it.skip;
const LIMIT_MB = 48;
const KEPT_MB = 32;

describe('3.12 what is held at the source', () => {
  let one: BackedUpCluster;
  const source = { name: 'c', uid: 'c', driver: 'postgres' };

  beforeAll(async () => {
    one = await BackedUpCluster.start({
      settings: {
        max_slot_wal_keep_size: `${LIMIT_MB}MB`,
        max_wal_size: `${KEPT_MB}MB`,
        min_wal_size: `${KEPT_MB}MB`,
        wal_keep_size: '0',
      },
    });
    one.spec = { ...one.spec, log: { hold: 'slot' } };
  });
  afterAll(() => one[Symbol.asyncDispose]());

  const begin = async (id: string, options = {}) =>
    one.collection.beginBackup(
      {
        ...{ backupId: id, run: `run-${id}`, attempt: 1, type: 'log', startedAt: new Date() },
        source: { ...source, family: await postgresDriver.family(one.spec) },
      },
      options,
    );

  async function write(megabytes: number): Promise<void> {
    for (let done = 0; done < megabytes; done += 4)
      await one.cluster.sql(
        "SELECT pg_logical_emit_message(false, 'filler', repeat('x', 4194304)); CHECKPOINT",
      );
  }

  /** What may still be written before the server lets go of the slot, as it says itself. */
  async function safeBytes(): Promise<number> {
    const [row] = await one.cluster.sql<{ safe: string }>(
      `SELECT safe_wal_size::text AS safe FROM pg_replication_slots WHERE slot_name = '${slotOf('cluster')}'`,
    );
    return Number(row!.safe);
  }

  it('is counted as the server counts it', async () => {
    const writer = await one.collection.beginBackup({
      ...{ backupId: 'full', run: 'run-full', attempt: 1, type: 'full', startedAt: new Date() },
      source: { ...source, family: await postgresDriver.family(one.spec) },
    });
    const { summary } = await postgresDriver.backup(one.spec, writer, { collection: 'cluster' });
    await writer.finish(summary);
    await write(8);
    using connection = await ReplicationConnection.open(one.cluster.address);
    const settings = await readSettings(connection);
    const held = await readHold(connection, 'cluster');
    const { position } = await identifySystem(connection);
    const safe = await safeBytes();
    const room = holdRoom(settings, held!.restartPosition!, position, undefined);
    // What the server counts up to is written a little later than what it says is synced.
    expect(Math.abs(Number(room!.safe) - safe)).toBeLessThan(1_048_576);
  });

  it('is bounded while a repository hangs: an alarm is raised before, the disk stays free, the gap has a name', async () => {
    const { manifest } = await one.collection.backup('full');
    const start = manifest.position!.archivePoint!;
    const abort = new AbortController();
    const alarmed = Promise.withResolvers<DriverAlarm>();
    const limits = { write: new RateLimiter(1, abort.signal) };
    const writer = await begin('hanging', { limits, signal: abort.signal });
    const hanging = postgresDriver.log!.backup(one.spec, writer, {
      ...{ collection: 'cluster', start, fork: '1', copyOnly: false, signal: abort.signal },
      stream: { sealAfter: 3_600_000, sealBytes: 1_000_000_000_000 },
      alarm: alarmed.resolve,
    });
    hanging.catch(() => undefined);
    while ((await safeBytes()) > 8_000_000) await write(4);
    const { code, message } = await alarmed.promise;
    expect(code).toBe('postgres.holdNearLimit');
    expect(message).toContain(slotOf('cluster'));
    const [before] = await one.cluster.sql<{ status: string }>(
      'SELECT wal_status AS status FROM pg_replication_slots WHERE NOT temporary',
    );
    expect(before!.status).not.toBe('lost');

    await write(LIMIT_MB * 4);
    const [disk] = await one.cluster.sql<{ megabytes: number }>(
      'SELECT (sum(size) / 1048576)::int AS megabytes FROM pg_ls_waldir()',
    );
    expect(disk!.megabytes).toBeLessThan(LIMIT_MB + 2 * KEPT_MB + 16);
    abort.abort(new Error('the mover gives up'));
    await expect(hanging).rejects.toThrow();
    await writer.abandon();

    const next = await begin('after');
    const again = { collection: 'cluster', start, fork: '1', copyOnly: false };
    await expect(postgresDriver.log!.backup(one.spec, next, again)).rejects.toMatchObject({
      code: 'source.history-lost',
    });
    await next.abandon();
  });

  /** No slot, and a server that would bound none. */
  async function unbound(): Promise<void> {
    const { sql } = one.cluster;
    await sql('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT temporary');
    await sql("ALTER SYSTEM SET max_slot_wal_keep_size = '-1'");
    await sql('SELECT pg_reload_conf()');
    let [setting] = await sql<{ value: string }>('SHOW max_slot_wal_keep_size');
    while (Object.values(setting ?? {})[0] !== '-1')
      [setting] = await sql<{ value: string }>('SHOW max_slot_wal_keep_size');
  }

  it('is let go at holdLimit also when that fails at first', async () => {
    await unbound();
    using holding = await ReplicationConnection.open(one.cluster.address);
    const hold = { collection: 'cluster', unbounded: true };
    const start = await holdLog(holding, await readSettings(holding), hold);
    await write(4);
    const reached = Promise.withResolvers<DriverAlarm>();
    const opened: ReplicationConnection[] = [];
    const watch = new HoldWatch({
      ...{ collection: 'cluster', start: start ?? 0n, holdLimit: 1_000_000, everyMilliseconds: 20 },
      raise: reached.resolve,
      // The first connection that was to drop it is lost.
      endReading: () => opened.length === 1 && opened[0]?.close(),
      open: async () => {
        const connection = await ReplicationConnection.open(one.cluster.address);
        opened.push(connection);
        return connection;
      },
    });
    try {
      await expect(reached.promise).resolves.toMatchObject({ code: 'postgres.holdLimitReached' });
    } finally {
      watch.stop();
    }
    expect(opened.length).toBeGreaterThan(1);
    expect(await readHold(holding, 'cluster')).toBeUndefined();
  });

  onlyAtLength(
    'is let go at holdLimit where the server bounds nothing, while a repository hangs',
    async () => {
      const { sql } = one.cluster;
      await unbound();
      const spec = { ...one.spec, log: { hold: 'slot', unbounded: true, holdLimit: 16_000_000 } };
      const first = await one.collection.beginBackup({
        ...{ backupId: 'full-2', run: 'run-full-2', attempt: 1, type: 'full', startedAt: new Date() },
        source: { ...source, family: await postgresDriver.family(spec) },
      });
      const { summary } = await postgresDriver.backup(spec, first, { collection: 'cluster' });
      await first.finish(summary);
      const abort = new AbortController();
      const alarms: string[] = [];
      const reached = Promise.withResolvers<string>();
      const limits = { write: new RateLimiter(1, abort.signal) };
      const writer = await begin('hanging-2', { limits, signal: abort.signal });
      const hanging = postgresDriver.log!.backup(spec, writer, {
        ...{ collection: 'cluster', start: summary.position!.archivePoint!, fork: '1', copyOnly: false },
        ...{ signal: abort.signal, stream: { sealAfter: 3_600_000, sealBytes: 1_000_000_000_000 } },
        alarm: ({ code }) => {
          alarms.push(code);
          if (code === 'postgres.holdLimitReached') reached.resolve(code);
        },
      });
      hanging.catch(() => undefined);
      await write(24);
      await reached.promise;
      expect(await sql('SELECT slot_name FROM pg_replication_slots WHERE NOT temporary')).toEqual([]);
      abort.abort(new Error('the mover gives up'));
      await expect(hanging).rejects.toThrow();
      await writer.abandon();
      expect(alarms.at(-1)).toBe('postgres.holdLimitReached');
    },
  );
});
