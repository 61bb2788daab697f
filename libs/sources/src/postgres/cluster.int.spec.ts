import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { initialiseRepository, type BackupPlan, type Collection, type Repository } from '@catena/vault';
import { chmodSync } from 'node:fs';
import pg from 'pg';
import { ScratchFolder } from '../testing/sample-tree.ts';
import { postgresDriver } from './postgres-driver.ts';
import { ScratchServer } from './restoring/scratch-server.ts';
import { BACKUP_ROLE, startProtectedCluster, type ProtectedCluster } from './testing/protected-cluster.ts';
import { Writer } from './testing/writer.ts';

describe('a cluster', () => {
  const scratch = new ScratchFolder();
  let cluster: ProtectedCluster;
  let repository: Repository;
  let collection: Collection;
  let spec: object;
  let runs = 0;

  beforeAll(async () => {
    chmodSync(scratch.at(), 0o755);
    cluster = await startProtectedCluster();
    process.env['TEST_BACKUP_PASSWORD'] = BACKUP_ROLE.password;
    const { host, port, user } = cluster.address;
    spec = { host, port, user, password: { env: 'TEST_BACKUP_PASSWORD' }, tls: { mode: 'disable' } };
    repository = await initialiseRepository(scratch.at('repository'), { keys: [], installation: 'here' });
    collection = repository.collection('cluster');
    await cluster.sql(
      'CREATE TABLE pages AS SELECT n, repeat(md5(n::text), 8) AS word FROM generate_series(1, 20000) n',
    );
    await cluster.sql('CREATE INDEX ON pages (word)');
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await repository.close();
    scratch.remove();
  });

  async function backup(id: string, type: BackupPlan['type'], more: Partial<BackupPlan> = {}) {
    runs += 1;
    const writer = await collection.beginBackup({
      ...{ backupId: id, run: `run-${runs}`, attempt: 1, type, startedAt: new Date() },
      source: { name: 'c', uid: 'c', family: await postgresDriver.family(spec), driver: 'postgres' },
      ...more,
    });
    const outcome = await postgresDriver.backup(spec, writer);
    return { outcome, manifest: (await writer.finish(outcome.summary)).manifest };
  }

  async function restored<T>(
    id: string,
    look: (sql: (text: string) => Promise<object[]>) => Promise<T>,
  ): Promise<T> {
    const reader = await collection.openBackup(id);
    const folder = scratch.at('restored', id);
    await postgresDriver.restore(reader, folder, { run: `restore-${id}` });
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
        return await look(async (text) => (await client.query<object>(text)).rows);
      } finally {
        await client.end();
      }
    } finally {
      await server.stop();
    }
  }

  it('comes back whole from a full, an incremental, a differential and a copy-only full taken under load', async () => {
    const writer = await Writer.start(cluster.server.adminUrl);
    try {
      await backup('full', 'full');
      const ends = new Map<string, { before: number; after: number }>();
      const during = async (id: string, work: () => Promise<unknown>) => {
        await writer.some();
        const before = writer.acknowledged;
        await work();
        ends.set(id, { before, after: writer.sent });
      };
      await cluster.sql('UPDATE pages SET word = word WHERE n % 50 = 0; DELETE FROM pages WHERE n > 15000');
      await cluster.sql('VACUUM pages');
      await during('inc', () => backup('inc', 'incremental', { parent: 'full' }));
      await cluster.sql(
        'TRUNCATE pages; INSERT INTO pages SELECT n, md5(n::text) FROM generate_series(1, 500) n',
      );
      await during('diff', () => backup('diff', 'differential', { base: 'full' }));
      await during('inc2', () => backup('inc2', 'incremental', { parent: 'inc' }));
      await during('copy', () => backup('copy', 'full', { copyOnly: true }));
      for (const [id, { before, after }] of ends) {
        const rows = await restored(id, (sql) => sql('SELECT array_agg(n ORDER BY n) AS n FROM written'));
        const numbers = (rows[0] as { n: number[] }).n;
        // Every number up to the last one, and none of what came later.
        expect(numbers).toEqual(Array.from(numbers, (_, index) => index + 1));
        expect(numbers.length).toBeGreaterThanOrEqual(before);
        expect(numbers.length).toBeLessThanOrEqual(after);
      }
    } finally {
      await writer.stop();
    }
  }, 300_000);
});
