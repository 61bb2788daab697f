import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tablespacesMadeIn } from '@catena/events';
import { BackedUpCluster } from '../testing/backed-up-cluster.ts';
import { formatLsn, parseLsn } from '../wire/lsn.ts';

describe('a restored cluster that is started', () => {
  let here: BackedUpCluster;
  let end: string;
  let spaced: string;
  const sql = (text: string) => here.cluster.sql<{ lsn: string }>(text);
  const lsnOf = async (text: string) => (await sql(`SELECT (${text})::text AS lsn`))[0]!.lsn;

  beforeAll(async () => {
    here = await BackedUpCluster.start({
      settings: { synchronous_commit: 'on', archive_command: 'false' },
    });
    spaced = here.at('spaced');
    mkdirSync(spaced, { mode: 0o700 });
    const { uid, gid } = statSync(here.cluster.server.dataDir);
    chownSync(spaced, uid, gid);
    await sql(`CREATE TABLESPACE fast LOCATION '${spaced}'`);
    await sql('CREATE TABLE kept TABLESPACE fast AS SELECT n FROM generate_series(1, 1000) n');
    end = (await here.backup('full', 'full')).manifest.position!.end;
  });
  afterAll(() => here[Symbol.asyncDispose](), 60_000);

  it('says what it reached: where its backup ends, exactly', async () => {
    const target = here.at('restored', 'checked');
    const { cluster } = await here.restoreTo(target, 'full', { cluster: { start: 'stopAgain' } });
    expect(cluster).toMatchObject({
      planned: formatLsn(BigInt(end)),
      reached: {
        position: formatLsn(BigInt(end)),
        timeline: 2,
        databases: expect.arrayContaining(['catena']) as unknown,
      },
    });
    expect(existsSync(path.join(target, 'postmaster.pid'))).toBe(false);
    expect(readdirSync(path.dirname(target)).sort()).toEqual(['checked', 'checked.tablespaces']);
  });

  it('reaches a position, a mark and the end of the log exactly, and what is not in the log is refused', async () => {
    const before = await lsnOf('pg_current_wal_insert_lsn()');
    await sql('CREATE TABLE later (n int)');
    const marked = await lsnOf("pg_create_restore_point('here')");
    await sql('INSERT INTO later VALUES (1)');
    await here.log('log', end);
    const reached = async (name: string, stop?: object) =>
      (
        await here.restoreTo(here.at('restored', name), 'full', {
          ...(stop === undefined ? {} : { stop: stop as never }),
          logs: ['log'],
          cluster: { start: 'stopAgain' },
        })
      ).cluster;
    const position = parseLsn(before).toString();
    const there = (await reached('position', { position }))!;
    expect(there.reached!.position).toBe(there.planned);
    // Where a record would begin, behind a page's header, and where the one before it ended.
    expect([0, 24, 40]).toContain(Number(parseLsn(before) - parseLsn(there.planned!)));
    expect(await reached('mark', { mark: 'here' })).toMatchObject({ reached: { position: marked } });
    await expect(reached('nowhere', { mark: 'nowhere' })).rejects.toMatchObject({
      code: 'restore.stopNotFound',
    });
    await expect(reached('early', { at: '2001-01-01T00:00:00Z' })).rejects.toMatchObject({
      code: 'restore.stopBeforeBackup',
    });
    expect(existsSync(here.at('restored', 'nowhere'))).toBe(false);
    expect(existsSync(here.at('restored', 'nowhere.tablespaces'))).toBe(false);
  });

  it('is left running where it is in nobody’s way, with none of the source’s harmful settings', async () => {
    const target = here.at('restored', 'running');
    const to = here.at('elsewhere');
    const { cluster } = await here.restoreTo(target, 'full', {
      cluster: { start: 'leaveRunning', tablespaces: [{ from: spaced, to }] },
    });
    const { pid, host } = cluster!.server!;
    try {
      expect(process.kill(pid, 0)).toBe(true);
      expect(existsSync(path.join(host, '.s.PGSQL.5432'))).toBe(true);
      expect(readdirSync(to)).toHaveLength(1);
      expect(readFileSync(path.join(target, 'postgresql.conf'), 'utf8')).not.toContain('archive_command');
    } finally {
      process.kill(pid, 'SIGINT');
      while (existsSync(path.join(target, 'postmaster.pid'))) await sleep(20);
      if (!host.startsWith(target)) rmSync(host, { recursive: true, force: true });
    }
  });

  it('is refused before anything is written when there are no programs for it', async () => {
    let written = 0;
    const restore = here.restoreTo(here.at('restored', 'none'), 'full', {
      cluster: { start: 'stopAgain', programs: here.at() },
      progress: () => (written += 1),
    });
    await expect(restore).rejects.toMatchObject({ code: 'embedded.postgres-not-found' });
    expect(written).toBe(0);
  });

  it('tablespaces that cannot go where they are to go are refused before anything is written', async () => {
    const target = here.at('restored', 'refused');
    const refused = async (code: string, from: string, to: string) => {
      const restore = here.restoreTo(target, 'full', { cluster: { tablespaces: [{ from, to }] } });
      await expect(restore).rejects.toMatchObject({ code });
      expect(existsSync(target)).toBe(false);
    };
    await refused('restore.tablespaceUnknown', '/not/there', '/elsewhere');
    await refused('restore.targetNotUsable', spaced, 'relative');
    await refused('restore.targetNotUsable', spaced, path.join(target, 'inside'));
    await refused('restore.targetExists', spaced, spaced);
  });

  it('a tablespace that the log creates is not made over one that is in use', async () => {
    const place = here.at('made later');
    mkdirSync(place, { mode: 0o700 });
    const { uid, gid } = statSync(here.cluster.server.dataDir);
    chownSync(place, uid, gid);
    const before = parseLsn(await lsnOf('pg_current_wal_insert_lsn()'));
    await sql(`CREATE TABLESPACE later LOCATION '${place}'`);
    const { position, driverDetails } = await here.log('with tablespace', end);
    const [made, ...more] = tablespacesMadeIn(driverDetails);
    expect(more).toEqual([]);
    expect(made).toMatchObject({ path: place, lsn: formatLsn(BigInt(made!.position)) });
    expect(BigInt(made!.position)).toBeGreaterThanOrEqual(before);
    const restore = (name: string, more: object = {}) =>
      here.restoreTo(here.at('restored', name), 'full', { logs: ['with tablespace'], ...more });
    const refused = { code: 'restore.tablespaceInLog', message: expect.stringContaining(place) };
    let written = 0;
    await expect(restore('over', { progress: () => (written += 1) })).rejects.toMatchObject(refused);
    expect([written, existsSync(here.at('restored', 'over'))]).toEqual([0, false]);
    await restore('short of it', { stop: { position: before.toString() } });
    // What the source does not use any more is free: it is made there, and dropped again.
    await sql('DROP TABLESPACE later');
    await here.log('dropped', position!.end);
    await restore('free', { logs: ['with tablespace', 'dropped'], cluster: { start: 'stopAgain' } });
    expect(readdirSync(place)).toEqual([]);
  });

  it('a tablespace that is created while a data backup runs is known with it, and refused before anything is written', async () => {
    const place = here.at('made meanwhile');
    mkdirSync(place, { mode: 0o700 });
    const { uid, gid } = statSync(here.cluster.server.dataDir);
    chownSync(place, uid, gid);
    here.spec = { ...here.spec, maxRate: 16_384 };
    const taken = here.backup('meanwhile', 'full');
    const streams = "SELECT 1 FROM pg_stat_progress_basebackup WHERE phase LIKE 'streaming%'";
    while ((await sql(streams)).length === 0) await sleep(5);
    await sql(`CREATE TABLESPACE meanwhile LOCATION '${place}'`);
    const { driverDetails } = (await taken).manifest;
    here.spec = { ...here.spec, maxRate: undefined };
    expect(tablespacesMadeIn(driverDetails).map((made) => made.path)).toEqual([place]);
    let written = 0;
    const restore = here.restoreTo(here.at('restored', 'meanwhile'), 'meanwhile', {
      progress: () => (written += 1),
    });
    await expect(restore).rejects.toMatchObject({
      code: 'restore.tablespaceInLog',
      message: expect.stringContaining(place),
    });
    expect(written).toBe(0);
  });
});
