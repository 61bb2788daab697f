import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ScratchServer } from '../../scratch/scratch-server.ts';
import { BackedUpCluster } from '../../testing/backed-up-cluster.ts';

describe('a restore over a data folder of the same cluster', () => {
  let here: BackedUpCluster;
  let target: string;
  let archivePoint: string;
  const sql = (text: string) => here.cluster.sql(text);

  beforeAll(async () => {
    here = await BackedUpCluster.start({ settings: { synchronous_commit: 'on' } });
    const spaced = here.at('spaced');
    mkdirSync(spaced, { mode: 0o700 });
    const { uid, gid } = statSync(here.cluster.server.dataDir);
    chownSync(spaced, uid, gid);
    await sql(`CREATE TABLESPACE fast LOCATION '${spaced}'`);
    await sql('CREATE TABLE spaced TABLESPACE fast AS SELECT n FROM generate_series(1, 1000) n');
    await sql(
      'CREATE TABLE pages AS SELECT n, repeat(md5(n::text), 8) AS word FROM generate_series(1, 20000) n',
    );
    archivePoint = (await here.backup('full', 'full')).manifest.position!.archivePoint!;
    target = await here.restore('full');
    await sql('UPDATE pages SET word = word WHERE n % 2000 = 0; UPDATE spaced SET n = -n');
    await sql('CREATE TABLE more AS SELECT 1 AS n');
    await here.backup('inc', 'incremental', { parent: 'full' });
  });
  afterAll(() => here[Symbol.asyncDispose](), 60_000);

  const over = (id: string, more: object = {}) =>
    here.restoreTo(target, id, { delta: true, cluster: { start: 'stopAgain' }, ...more });

  it('rewrites what differs and removes what is not in the backup, tablespaces too', async () => {
    await using server = await ScratchServer.start({ folder: target });
    const client = await server.connect('catena');
    await client.query("UPDATE pages SET word = 'spoiled' WHERE n < 100; CREATE TABLE strange (n int)");
    await client.end();
    await server.stop();
    writeFileSync(path.join(target, 'base', 'stray'), 'not of the backup');
    const { files, unchanged, bytes, bytesWritten, cluster } = await over('inc');
    expect(unchanged).toBeGreaterThan(files / 2);
    expect(bytesWritten).toBeLessThan(bytes / 3);
    expect(cluster?.reached?.position).toBe(cluster?.planned);
    expect(existsSync(path.join(target, 'base', 'stray'))).toBe(false);
    await using again = await ScratchServer.start({ folder: target });
    const look = await again.connect('catena');
    const { rows } = await look.query(
      `SELECT (SELECT count(*)::int FROM pages) AS pages, (SELECT min(n) FROM spaced) AS least,
         to_regclass('strange') AS strange, (SELECT count(*)::int FROM pages WHERE word = 'spoiled') AS spoiled`,
    );
    await look.end();
    expect(rows).toEqual([{ pages: 20000, least: -1000, strange: null, spoiled: 0 }]);
  });

  it('goes on where an earlier one was interrupted, before which no server starts', async () => {
    let looked = 0;
    const stopped = new AbortController();
    const progress = () => {
      looked += 1;
      if (looked === 2) stopped.abort(new Error('interrupted'));
    };
    await expect(over('full', { signal: stopped.signal, progress })).rejects.toThrow('interrupted');
    expect(existsSync(path.join(target, 'global', 'pg_control'))).toBe(false);
    // Without its link nobody would know where the tablespace lies.
    expect(readdirSync(path.join(target, 'pg_tblspc'))).toHaveLength(1);
    await expect(ScratchServer.start({ folder: target })).rejects.toMatchObject({
      code: 'restore.copyNotStarted',
    });
    rmSync(path.join(target, 'postmaster.pid'), { force: true });
    const { cluster } = await over('full');
    expect(cluster?.reached?.position).toBe(cluster?.planned);
    expect(readdirSync(target).filter((name) => name.startsWith('catena-delta'))).toEqual([]);
  });

  it('is refused for what the log holds before anything is touched', async () => {
    const place = here.at('made later');
    mkdirSync(place, { mode: 0o700 });
    const { uid, gid } = statSync(here.cluster.server.dataDir);
    chownSync(place, uid, gid);
    await sql("SELECT pg_create_restore_point('before it')");
    await sql(`CREATE TABLESPACE later LOCATION '${place}'`);
    await here.log('log', archivePoint);
    const filesOf = () =>
      readdirSync(target, { recursive: true, encoding: 'utf8' })
        .map((name) => [name, statSync(path.join(target, name)).mtimeMs])
        .sort();
    const before = filesOf();
    const refused = async (code: string, more: object = {}) => {
      await expect(over('full', { logs: ['log'], ...more })).rejects.toMatchObject({ code });
      expect(filesOf()).toEqual(before);
    };
    await refused('restore.tablespaceInLog');
    await refused('restore.stopNotFound', { stop: { mark: 'nowhere' } });
    await refused('restore.stopBeforeBackup', { stop: { at: '2001-01-01T00:00:00Z' } });
    await refused('embedded.postgres-not-found', { cluster: { start: 'stopAgain', programs: here.at() } });
    const { cluster } = await over('full', { logs: ['log'], stop: { mark: 'before it' } });
    expect(cluster?.reached?.position).toBe(cluster?.planned);
  });

  it('is refused over anything else, and over a server that runs', async () => {
    const refused = async (folder: string, code: string) => {
      await expect(here.restoreTo(folder, 'full', { delta: true })).rejects.toMatchObject({ code });
    };
    await refused(here.at('nothing'), 'restore.targetNotUsable');
    mkdirSync(here.at('other', 'global'), { recursive: true });
    await refused(here.at('other'), 'restore.targetNotUsable');
    writeFileSync(here.at('other', 'global', 'pg_control'), Buffer.alloc(8, 1));
    await refused(here.at('other'), 'restore.otherCluster');
    await refused(here.cluster.server.dataDir, 'restore.serverRunning');
    expect(readFileSync(here.at('other', 'global', 'pg_control'))).toEqual(Buffer.alloc(8, 1));
  });
});
