import { chmodSync } from 'node:fs';
import type { RestoreStop } from '@catena/events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { initialiseRepository, type BackupPlan, type Collection, type Repository } from '@catena/vault';
import pg from 'pg';
import { ScratchFolder } from '../../testing/sample-tree.ts';
import { postgresDriver } from '../postgres-driver.ts';
import { ScratchServer } from '../scratch/scratch-server.ts';
import { BACKUP_ROLE, startProtectedCluster, type ProtectedCluster } from '../testing/protected-cluster.ts';
import { Writer } from '../testing/writer.ts';
import { parseLsn } from '../wire/lsn.ts';
import { slotOf } from './held-log.ts';

interface Written {
  readonly n: number;
  readonly xid: string;
  readonly at: string;
}

describe('the log of a cluster', () => {
  const scratch = new ScratchFolder();
  let cluster: ProtectedCluster;
  let repository: Repository;
  let collection: Collection;
  let spec: object;
  let runs = 0;

  beforeAll(async () => {
    chmodSync(scratch.at(), 0o755);
    cluster = await startProtectedCluster({
      settings: { max_slot_wal_keep_size: '1GB', track_commit_timestamp: 'on', synchronous_commit: 'on' },
    });
    process.env['TEST_BACKUP_PASSWORD'] = BACKUP_ROLE.password;
    const { host, port, user } = cluster.address;
    spec = {
      ...{ host, port, user, password: { env: 'TEST_BACKUP_PASSWORD' }, tls: { mode: 'disable' } },
      log: { hold: 'slot' },
    };
    repository = await initialiseRepository(scratch.at('repository'), { keys: [], installation: 'here' });
    collection = repository.collection('cluster');
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await repository.close();
    scratch.remove();
  });

  async function begun(id: string, type: BackupPlan['type'], more: Partial<BackupPlan> = {}) {
    runs += 1;
    return await collection.beginBackup({
      ...{ backupId: id, run: `run-${runs}`, attempt: 1, type, startedAt: new Date() },
      source: { name: 'c', uid: 'c', family: await postgresDriver.family(spec), driver: 'postgres' },
      ...more,
    });
  }

  async function full(id: string, copyOnly = false) {
    const writer = await begun(id, 'full', { copyOnly });
    const outcome = await postgresDriver.backup(spec, writer, { collection: 'cluster', copyOnly });
    return (await writer.finish(outcome.summary)).manifest;
  }

  async function log(id: string, start: string, copyOnly = false) {
    const writer = await begun(id, 'log', { copyOnly });
    const options = { collection: 'cluster', start, copyOnly };
    const outcome = await postgresDriver.log!.backup(spec, writer, options);
    return (await writer.finish(outcome.summary)).manifest;
  }

  async function restored(
    data: string,
    logs: readonly string[],
    stop: RestoreStop | undefined,
  ): Promise<number[]> {
    runs += 1;
    const reader = await collection.openBackup(data);
    const rest = (await collection.backups(logs)).map(({ manifest }) => ({
      manifest,
      open: () => collection.openBackup(manifest.backup),
    }));
    const folder = scratch.at('restored', String(runs));
    await postgresDriver.restore(reader, folder, {
      run: `restore-${runs}`,
      logs: rest,
      ...(stop === undefined ? {} : { stop }),
    });
    await reader.close();
    const server = await ScratchServer.start({ folder, bin: cluster.server.bin });
    try {
      const client = new pg.Client({
        host: server.host,
        port: server.port,
        user: 'postgres',
        database: 'catena',
      });
      await client.connect();
      try {
        const { rows } = await client.query<{ n: number }>('SELECT n FROM written ORDER BY n');
        return rows.map(({ n }) => n);
      } finally {
        await client.end();
      }
    } finally {
      await server.stop();
    }
  }

  /** What the server says was committed, in the order of its commit times. */
  async function written(): Promise<Written[]> {
    return await cluster.sql<Written>(
      `SELECT n, xmin::text AS xid,
         to_char(pg_xact_commit_timestamp(xmin) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at
       FROM written ORDER BY pg_xact_commit_timestamp(xmin), n`,
    );
  }

  const until = (rows: readonly Written[], at: string) =>
    rows
      .filter((row) => row.at <= at)
      .map(({ n }) => n)
      .sort((a, b) => a - b);

  it('brings back any moment, position, transaction or mark, each with exactly what was committed by then', async () => {
    const writer = await Writer.start(cluster.server.adminUrl);
    const first = await full('full');
    expect(first.position).toMatchObject({ fork: '1' });
    await writer.some(40);
    const atMark = writer.acknowledged;
    await cluster.sql("SELECT pg_create_restore_point('half way')");
    await writer.some(40);
    const { position: one } = await log('log1', first.position!.archivePoint!);
    await cluster.sql('SELECT pg_switch_wal()');
    await writer.some(40);
    const atLsn = writer.acknowledged;
    const [{ lsn } = { lsn: '' }] = await cluster.sql<{ lsn: string }>(
      'SELECT pg_current_wal_insert_lsn() AS lsn',
    );
    await writer.some(40);
    await writer.stop();
    const { position: two, asOf } = await log('log2', one!.end);
    expect(two).toMatchObject({ start: one!.end, fork: '1', marks: [] });
    expect(one!.marks).toMatchObject([{ name: 'half way' }]);
    const rows = await written();
    expect(asOf >= rows.at(-1)!.at.slice(0, 23)).toBe(true);

    const logs = ['log1', 'log2'];
    const everything = rows.map(({ n }) => n).sort((a, b) => a - b);
    expect(await restored('full', logs, undefined)).toEqual(everything);
    const later = rows.filter((row) => row.at > first.asOf);
    for (const part of [1 / 3, 2 / 3]) {
      const { at, xid, n } = later[Math.floor(later.length * part)]!;
      const holds = [one!, two!].some(({ transactions }) =>
        transactions!.some(([first, last]) => first <= Number(xid) && Number(xid) <= last),
      );
      expect(holds).toBe(true);
      expect(await restored('full', logs, { at })).toEqual(until(rows, at));
      expect(await restored('full', logs, { transaction: xid })).toEqual(
        everything.filter((one) => one <= n),
      );
    }
    // After the last commit there is none that the server could stop before: everything is what is meant.
    expect(await restored('full', logs, { at: rows.at(-1)!.at })).toEqual(everything);
    const toPosition = await restored('full', logs, { position: parseLsn(lsn).toString() });
    expect(toPosition).toEqual(everything.slice(0, toPosition.length));
    expect(toPosition.length).toBeGreaterThanOrEqual(atLsn);
    expect(toPosition.length).toBeLessThan(everything.length);
    const toMark = await restored('full', ['log1'], { mark: 'half way' });
    expect(toMark.length).toBeGreaterThanOrEqual(atMark);
    expect(toMark.length).toBeLessThan(toPosition.length);
  });

  it('lists the newest of many marks and says how many more there are; those are found in the log', async () => {
    const mark = async (name: string, row: number) => {
      await cluster.sql(`INSERT INTO written (n) VALUES (${row})`);
      await cluster.sql(`SELECT pg_create_restore_point('${name}')`);
    };
    const two = await collection.openBackup('log2');
    const { end } = two.manifest.position!;
    await two.close();
    await mark('twice', 1_000_001);
    await mark('twice', 1_000_002);
    await cluster.sql(
      "INSERT INTO written (n) VALUES (1000003); SELECT pg_create_restore_point('one of ' || n) FROM generate_series(1, 130) n",
    );
    const { position } = await log('marks', end);
    expect(position!.marks).toHaveLength(100);
    expect(position).toMatchObject({ moreMarks: 32 });
    expect(position!.marks!.map(({ name }) => name)).toEqual(
      Array.from({ length: 100 }, (_, index) => `one of ${index + 31}`),
    );
    const logs = ['log1', 'log2', 'marks'];
    expect((await restored('full', logs, { mark: 'twice' })).at(-1)).toBe(1_000_002);
  });

  it('1.3 a copy-only log covers the same, and moves neither the slot nor anything else', async () => {
    const slot = () =>
      cluster.sql<{ lsn: string }>(
        `SELECT restart_lsn AS lsn FROM pg_replication_slots WHERE slot_name = '${slotOf('cluster')}'`,
      );
    const before = await slot();
    const two = await collection.openBackup('log2');
    const { end } = two.manifest.position!;
    await two.close();
    await cluster.sql('CREATE TABLE later ()');
    const copy = await log('copy-log', end, true);
    expect(copy).toMatchObject({ type: 'log', copyOnly: true, position: { start: end } });
    expect(await slot()).toEqual(before);
    const regular = await log('log3', end);
    expect(regular.position?.start).toBe(end);
  });

  it('the slot follows what is recorded, and never leads', async () => {
    const held = async () => {
      const [row] = await cluster.sql<{ lsn: string }>(
        `SELECT restart_lsn AS lsn FROM pg_replication_slots WHERE slot_name = '${slotOf('cluster')}'`,
      );
      return parseLsn(row!.lsn);
    };
    const reader = await collection.openBackup('log3');
    const position = reader.manifest.position!.end;
    await reader.close();
    expect(await held()).toBeLessThan(BigInt(position));
    const release = { collection: 'cluster', position, fork: '1' };
    await postgresDriver.log!.release(spec, release);
    await postgresDriver.log!.release(spec, release);
    expect(await held()).toBe(BigInt(position));
  });

  it('a slot that was dropped behind our back is made anew, with a warning, when the log is still there', async () => {
    await cluster.sql(`SELECT pg_drop_replication_slot('${slotOf('cluster')}')`);
    const reader = await collection.openBackup('log3');
    const { end } = reader.manifest.position!;
    await reader.close();
    const next = await log('log4', end);
    expect(next.warnings).toBe(1);
    expect(next.position?.start).toBe(end);
  });

  it('log that the server threw away is a gap by name, never a silent jump', async () => {
    const reader = await collection.openBackup('log1');
    const { start } = reader.manifest.position!;
    await reader.close();
    for (let turn = 0; turn < 6; turn++)
      await cluster.sql('CREATE TABLE t (); DROP TABLE t; SELECT pg_switch_wal()');
    const last = await collection.openBackup('log4');
    const { end } = last.manifest.position!;
    await last.close();
    await postgresDriver.log!.release(spec, { collection: 'cluster', position: end });
    await cluster.sql('CHECKPOINT');
    await cluster.sql('CHECKPOINT');
    const writer = await begun('gap', 'log');
    const late = { collection: 'cluster', start: start!, copyOnly: false };
    await expect(postgresDriver.log!.backup(spec, writer, late)).rejects.toMatchObject({
      code: 'source.history-lost',
      lost: 'slotLost',
    });
    await writer.abandon();
  });

  it('3.12 a slot that nothing bounds is refused with the statement to run, unless it is accepted by name', async () => {
    await cluster.sql(`SELECT pg_drop_replication_slot('${slotOf('cluster')}')`);
    await cluster.set('max_slot_wal_keep_size', '-1');
    const writer = await begun('unbounded', 'full');
    await expect(postgresDriver.backup(spec, writer, { collection: 'cluster' })).rejects.toMatchObject({
      code: 'source.logUnbounded',
      remedy: expect.stringContaining('max_slot_wal_keep_size'),
    });
    await writer.abandon();
    const accepted = { ...spec, log: { hold: 'slot', unbounded: true } };
    const second = await begun('accepted', 'full');
    const outcome = await postgresDriver.backup(accepted, second, { collection: 'cluster' });
    expect(outcome.summary.position?.archivePoint).toMatch(/^\d+$/);
    await second.finish(outcome.summary);
  });
});
