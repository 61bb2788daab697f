import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { postgresDriver } from './postgres-driver.ts';
import { BackedUpCluster } from './testing/backed-up-cluster.ts';
import { serversToTry } from './testing/servers-to-try.ts';
import { Writer } from './testing/writer.ts';

const atLength = process.env['CATENA_TEST_LONG'] === '1';
const PAGES = 'SELECT count(*)::int AS rows, md5(string_agg(n || word, $$,$$ ORDER BY n)) AS hash FROM pages';

describe.each(serversToTry())('a cluster of PostgreSQL $major', ({ major, bin }) => {
  let here: BackedUpCluster;
  const sql = (text: string) => here.cluster.sql(text);
  const tracks = major >= 17;

  beforeAll(async () => {
    here = await BackedUpCluster.start({ bin, major });
    await sql(
      'CREATE TABLE pages AS SELECT n, repeat(md5(n::text), 8) AS word FROM generate_series(1, 5000) n',
    );
    await sql('CREATE INDEX ON pages (word)');
  });
  afterAll(() => here[Symbol.asyncDispose](), 60_000);

  it('comes back from what was taken while it was written to: every commit up to one, none after', async () => {
    const writer = await Writer.start(here.cluster.server.adminUrl);
    const ends = new Map<string, { before: number; after: number }>();
    const during = async (id: string, work: () => Promise<unknown>) => {
      await writer.some();
      const before = writer.acknowledged;
      await work();
      ends.set(id, { before, after: writer.sent });
    };
    try {
      await here.backup('full', 'full');
      await sql('UPDATE pages SET word = word WHERE n % 50 = 0; DELETE FROM pages WHERE n > 4000');
      await sql('VACUUM pages');
      const inc = await here.backup('inc', 'incremental', { parent: 'full' });
      expect(inc.manifest.driverDetails?.['method']).toBe(tracks ? 'serverTracking' : 'comparison');
      await sql('TRUNCATE pages; INSERT INTO pages SELECT n, md5(n::text) FROM generate_series(1, 500) n');
      await sql('CREATE DATABASE another');
      await during('inc2', () => here.backup('inc2', 'incremental', { parent: 'inc' }));
      await during('diff', () => here.backup('diff', 'differential', { base: 'full' }));
      if (atLength) await during('copy', () => here.backup('copy', 'full', { copyOnly: true }));
    } finally {
      await writer.stop();
    }
    const [pages] = await sql(PAGES);
    for (const [id, { before, after }] of ends) {
      await here.restored(id, async (look) => {
        const [row] = (await look('SELECT array_agg(n ORDER BY n) AS n FROM written')) as { n: number[] }[];
        const numbers = row?.n ?? [];
        expect(numbers).toEqual(numbers.map((_, index) => index + 1));
        expect(numbers.length).toBeGreaterThanOrEqual(before);
        expect(numbers.length).toBeLessThanOrEqual(after);
        expect((await look(PAGES))[0]).toEqual(pages);
      });
    }
  });

  it('reads little of what has not changed, and stores less', async () => {
    const { outcome, manifest } = await here.backup('still', 'incremental', { parent: 'inc2' });
    expect(manifest.statistics.bytesNew).toBeLessThan(outcome.bytes / 4);
    if (tracks) expect(outcome.bytesRead).toBeLessThan(outcome.bytes / 2);
    const { start, end, fork } = manifest.position ?? {};
    expect(BigInt(end ?? 0)).toBeGreaterThan(BigInt(start ?? 0));
    expect(fork).toBe('1');
  });

  it('brings its tablespaces, to places of their own', async () => {
    const place = here.at('tablespace');
    mkdirSync(place, { mode: 0o700 });
    const { uid, gid } = statSync(here.cluster.server.dataDir);
    chownSync(place, uid, gid);
    await sql(`CREATE TABLESPACE fast LOCATION '${place}'`);
    await sql('CREATE TABLE spaced TABLESPACE fast AS SELECT n FROM generate_series(1, 3000) n');
    await here.backup('spaced', 'incremental', { parent: 'still' });
    await sql('INSERT INTO spaced SELECT n FROM generate_series(3001, 4000) n');
    await here.backup('spaced-inc', 'incremental', { parent: 'spaced' });
    await sql('UPDATE spaced SET n = -n');
    await here.restored('spaced-inc', async (look) => {
      expect(await look('SELECT count(*)::int AS rows, min(n) AS least FROM spaced')).toEqual([
        { rows: 4000, least: 1 },
      ]);
      const [row] = await look(
        'SELECT pg_tablespace_location(oid) AS place FROM pg_tablespace WHERE spcname = $$fast$$',
      );
      expect(row).toEqual({
        place: expect.stringContaining(`${here.at('restored', 'spaced-inc')}.tablespaces/`) as unknown,
      });
    });
    await sql('DROP TABLE spaced');
    await sql('DROP TABLESPACE fast');
  });

  it('is not harmed by a copy: the source’s settings lie beside and do not act', async () => {
    const folder = await here.restore('full');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const settings = readFileSync(path.join(folder, 'postgresql.conf'), 'utf8');
    expect(settings).toContain('archive_mode = off');
    expect(settings).toContain('max_connections = 80');
    expect(readFileSync(path.join(folder, 'pg_hba.conf.source'), 'utf8')).not.toBe('');
    expect(readFileSync(path.join(folder, 'backup_label'), 'utf8')).not.toContain('INCREMENTAL');
  });

  it('stops when it is cancelled, and leaves no slot and no connection at the server', async () => {
    const cancelled = new AbortController();
    here.spec = { ...here.spec, maxRate: 64 };
    const backup = here.backup('cancelled', 'full', {}, cancelled.signal);
    const held = () => sql('SELECT 1 FROM pg_replication_slots');
    while ((await held()).length === 0) await sleep(20);
    cancelled.abort(new Error('cancelled by a person'));
    await expect(backup).rejects.toThrow('cancelled by a person');
    while ((await held()).length > 0) await sleep(20);
    here.spec = { ...here.spec, maxRate: undefined };
  });

  it('names damaged pages: the backup fails, or is made with a warning when that is wanted', async () => {
    await sql(
      'CREATE TABLE broken AS SELECT n, repeat(md5(n::text), 10) AS word FROM generate_series(1, 3000) n',
    );
    // Or the server would write its good pages over the bad ones, with what it notes about visibility.
    await sql('ALTER TABLE broken SET (autovacuum_enabled = off)');
    await sql('VACUUM (FREEZE) broken');
    await sql('CHECKPOINT');
    const [row] = await here.cluster.sql<{ file: string }>("SELECT pg_relation_filepath('broken') AS file");
    const name = row?.file ?? '';
    const file = openSync(path.join(here.cluster.server.dataDir, name), 'r+');
    const was = Buffer.alloc(10 * 8192);
    readSync(file, was, 0, was.length, 8192);
    for (let page = 1; page <= 10; page++) writeSync(file, Buffer.from('no'), 0, 2, page * 8192 + 4000);
    await expect(here.backup('bad', 'full')).rejects.toMatchObject({
      code: 'source.damaged',
      message: expect.stringContaining(`${name}, blocks 1, 2, 3, 4, 5, 6, 7, 8, 9, 10`) as unknown,
    });
    here.spec = { ...here.spec, damagedPages: 'warn' };
    const { manifest } = await here.backup('bad-but-wanted', 'full');
    expect(manifest.warnings).toBe(1);
    const reader = await here.collection.openBackup('bad-but-wanted');
    for await (const warning of reader.warnings())
      expect({ ...warning, path: Buffer.from(warning.path).toString() }).toMatchObject({
        path: name,
        code: 'postgres.pageDamaged',
      });
    await reader.close();
    writeSync(file, was, 0, was.length, 8192);
    closeSync(file);
    here.spec = { ...here.spec, damagedPages: 'fail' };
    await here.backup('good-again', 'incremental', { parent: 'spaced-inc' });
  });

  (tracks ? it : it.skip)(
    'compares with the parent when the server no longer knows what changed',
    async () => {
      await here.cluster.set('summarize_wal', 'off');
      await sql("INSERT INTO pages SELECT n, 'later' FROM generate_series(1, 100) n");
      const { manifest } = await here.backup('unknown', 'incremental', { parent: 'spaced-inc' });
      expect(manifest.driverDetails?.['method']).toBe('comparison');
      expect(manifest.warnings).toBe(1);
      expect(manifest.statistics.bytesNew).toBeLessThan(manifest.statistics.bytes / 4);
      const [pages] = await sql(PAGES);
      await here.restored('unknown', async (look) => expect((await look(PAGES))[0]).toEqual(pages));
      await here.cluster.set('summarize_wal', 'on');
    },
  );

  it('is refused before anything is read when the definition is wrong or the server is not there', async () => {
    await expect(postgresDriver.check({ port: 5432 })).rejects.toMatchObject({ code: 'source.specInvalid' });
    await expect(postgresDriver.check({ ...here.spec, port: 1 })).rejects.toMatchObject({
      code: 'source.notFound',
    });
    const noPassword = { ...here.spec, password: { env: 'NOT_SET_ANYWHERE' } };
    await expect(postgresDriver.check(noPassword)).rejects.toMatchObject({ code: 'source.accessDenied' });
    await expect(postgresDriver.check(here.spec)).resolves.toBeUndefined();
    expect((await postgresDriver.estimate(here.spec)).bytes).toBeGreaterThan(1_000_000);
  });
});
