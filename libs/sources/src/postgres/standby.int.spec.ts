import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { appendFileSync, chownSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { postgresDriver } from './postgres-driver.ts';
import { runServer, type ServerProcess } from './scratch/server-process.ts';
import { BackedUpCluster } from './testing/backed-up-cluster.ts';
import { BACKUP_ROLE } from './testing/protected-cluster.ts';
import { fetchLogFile } from './spool/fetch-log-file.ts';
import { serversToTry } from './testing/servers-to-try.ts';

const atLength = process.env['CATENA_TEST_LONG'] === '1';

(atLength ? describe : describe.skip).each(serversToTry())(
  'a standby of PostgreSQL $major',
  ({ major, bin }) => {
    let here: BackedUpCluster;
    let standby: ServerProcess;
    let socket: string;
    let folder: string;
    let primary: Record<string, unknown>;

    beforeAll(async () => {
      here = await BackedUpCluster.start({ bin, major, settings: { wal_keep_size: '1GB' } });
      await here.cluster.sql('CREATE TABLE kept AS SELECT n FROM generate_series(1, 1000) n');
      await here.backup('full', 'full');
      folder = here.at('restored', 'standby');
      await here.restoreTo(folder, 'full');
      rmSync(path.join(folder, 'recovery.signal'));
      writeFileSync(path.join(folder, 'standby.signal'), '');
      const { host, port } = here.cluster.address;
      appendFileSync(
        path.join(folder, 'postgresql.conf'),
        [
          `primary_conninfo = 'host=${host} port=${port} user=${BACKUP_ROLE.user} password=${BACKUP_ROLE.password}'`,
          "recovery_target = ''",
          "recovery_target_timeline = 'latest'",
          ...(major >= 17 ? ['summarize_wal = on'] : []),
          '',
        ].join('\n'),
      );
      const { uid, gid } = statSync(path.join(folder, 'PG_VERSION'));
      socket = here.at('standby');
      const rules = path.join(socket, 'pg_hba.conf');
      const log = path.join(socket, 'server.log');
      mkdirSync(socket);
      writeFileSync(rules, 'local all all trust\nlocal replication all trust\n');
      writeFileSync(log, '');
      for (const each of [socket, rules, log]) chownSync(each, uid, gid);
      const settings = {
        ...{ listen_addresses: '', unix_socket_directories: socket, hba_file: rules },
        ...{ port: '5432', archive_mode: 'off', ssl: 'off', logging_collector: 'off', hot_standby: 'on' },
      };
      const { bin: programs } = here.cluster.server;
      standby = await runServer({ folder, bin: programs, settings, log, outlives: false });
      const answers = () => onStandby('SELECT 1').catch(() => []);
      while ((await answers()).length === 0) {
        if (standby.hasEnded()) throw new Error(readFileSync(log, 'utf8'));
        await sleep(100);
      }
      primary = here.spec;
    });
    afterAll(async () => {
      standby.child.kill('SIGINT');
      await standby.exited;
      await here[Symbol.asyncDispose]();
    });

    const atStandby = () => ({ host: socket, port: 5432, user: BACKUP_ROLE.user });

    async function onStandby(text: string): Promise<object[]> {
      const client = new pg.Client({ ...atStandby(), user: 'postgres', database: 'catena' });
      await client.connect();
      try {
        return (await client.query<object>(text)).rows;
      } finally {
        await client.end();
      }
    }

    const caughtUp = async () => {
      const [row] = await here.cluster.sql<{ at: string }>('SELECT pg_current_wal_flush_lsn()::text AS at');
      const reached = () =>
        onStandby(`SELECT 1 FROM (SELECT pg_last_wal_replay_lsn() AS at) now WHERE at >= '${row?.at ?? ''}'`);
      while ((await reached()).length === 0) await sleep(50);
    };

    it('is backed up like its primary, of the same family, in one chain with it, and over a promotion', async () => {
      expect(await postgresDriver.family(atStandby())).toBe(await postgresDriver.family(primary));
      await here.cluster.sql('INSERT INTO kept SELECT n FROM generate_series(1001, 2000) n');
      await here.cluster.sql('CHECKPOINT');
      await caughtUp();
      here.spec = atStandby();
      const { manifest } = await here.backup('from-standby', 'incremental', { parent: 'full' });
      expect(manifest.driverDetails).toMatchObject({ standby: true, timeline: 1 });
      await here.restored('from-standby', async (sql) =>
        expect(await sql('SELECT count(*)::int AS rows FROM kept')).toEqual([{ rows: 2000 }]),
      );
      await onStandby('SELECT pg_promote()');
      await onStandby('INSERT INTO kept SELECT n FROM generate_series(2001, 2500) n');
      const promoted = await here.backup('promoted', 'incremental', { parent: 'from-standby' });
      expect(promoted.manifest.driverDetails).toMatchObject({ standby: false, timeline: 2 });
      expect(promoted.manifest.position).toMatchObject({
        fork: expect.stringMatching(/^2-[0-9a-f]{16}$/) as unknown,
        forkParent: '1',
      });
      await here.restored('promoted', async (sql) =>
        expect(await sql('SELECT count(*)::int AS rows FROM kept')).toEqual([{ rows: 2500 }]),
      );
      const { driverDetails } = await here.log('log', promoted.manifest.position!.archivePoint!);
      expect(driverDetails).toMatchObject({ timeline: 2, serverTimeline: 2 });
      const fetched = here.at('fetched.history');
      expect(await fetchLogFile(here.collection, '00000002.history', fetched)).toBe(true);
      const original = path.join(folder, 'pg_wal', '00000002.history');
      expect(readFileSync(fetched).equals(readFileSync(original))).toBe(true);
      expect(await fetchLogFile(here.collection, '00000003.history', fetched)).toBe(false);
    });

    it('goes on from logs of a primary that lived on for a while, up to where it was left', async () => {
      here.spec = primary;
      await here.cluster.sql('INSERT INTO kept SELECT n FROM generate_series(9001, 9900) n');
      const full = await here.collection.backup('full');
      const beyond = await here.log('beyond', full.manifest.position!.end);
      here.spec = atStandby();
      const onward = await here.log('onward', beyond.position!.end, {}, '1');
      expect(BigInt(onward.position!.start!)).toBeLessThan(BigInt(beyond.position!.end));
      await here.restored(
        'full',
        async (sql) => expect(await sql('SELECT count(*)::int AS rows FROM kept')).toEqual([{ rows: 2500 }]),
        { logs: ['beyond', 'onward'] },
      );
    });
  },
);
