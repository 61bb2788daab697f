/** Every major version that is protected, in little; the newest and the rest of what is said of them is in cluster.int.spec.ts. */
import { chmodSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { postgresDriver } from './postgres-driver.ts';
import { BackedUpCluster } from './testing/backed-up-cluster.ts';
import { BACKUP_ROLE } from './testing/protected-cluster.ts';
import { otherMajors } from './testing/servers-to-try.ts';
import { Writer } from './testing/writer.ts';

const ROWS = 'SELECT count(*)::int AS rows, sum(n)::int AS sum FROM kept';

describe.each(otherMajors())('PostgreSQL $major', ({ major, bin }) => {
  it('is backed up in full, what changed of it, and its log, and is had back as it was at a moment', async () => {
    await using here = await BackedUpCluster.start({
      ...{ bin, major },
      settings: { max_slot_wal_keep_size: '1GB', track_commit_timestamp: 'on', synchronous_commit: 'on' },
    });
    const password = here.at('password');
    writeFileSync(password, `${BACKUP_ROLE.password}\n`);
    chmodSync(password, 0o600);
    here.spec = { ...here.spec, password: { file: password }, log: { hold: 'slot' } };
    const { cluster } = here;
    await cluster.sql('CREATE TABLE kept AS SELECT n FROM generate_series(1, 20000) n');

    const full = await here.backup('full', 'full');
    expect(full.manifest.driverDetails).toMatchObject({
      ...{ timeline: 1, standby: false, pageChecksums: true, method: 'everything' },
      serverVersion: expect.stringMatching(new RegExp(`^${major}\\.`)) as unknown,
    });
    await cluster.sql('UPDATE kept SET n = -n WHERE n <= 100');
    const inc = await here.backup('inc', 'incremental', { parent: 'full' });
    expect(inc.manifest.driverDetails?.['method']).toBe(major >= 17 ? 'serverTracking' : 'comparison');
    expect(inc.manifest.statistics.bytesNew).toBeLessThan(full.manifest.statistics.bytesNew / 2);

    const writer = await Writer.start(cluster.server.adminUrl);
    await writer.some(30);
    const [{ at } = { at: '' }] = await cluster.sql<{ at: string }>(
      `SELECT to_char(max(pg_xact_commit_timestamp(xmin)) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at FROM written`,
    );
    await writer.some(30);
    await writer.stop();
    const expected = await cluster.sql<{ n: number }>(
      `SELECT n FROM written WHERE pg_xact_commit_timestamp(xmin) <= '${at}' ORDER BY n`,
    );
    const log = await here.log('log', full.manifest.position?.archivePoint ?? full.manifest.position!.start!);
    expect(log.position).toMatchObject({ fork: '1' });

    const rows = await cluster.sql(ROWS);
    await here.restored(
      'inc',
      async (look) => {
        expect(await look('SELECT n FROM written ORDER BY n')).toEqual(expected);
        expect(await look(ROWS)).toEqual(rows);
      },
      { logs: ['log'], stop: { at } },
    );
    expect(expected.length).toBeGreaterThanOrEqual(30);
    expect(expected.length).toBeLessThan(writer.acknowledged);
    await postgresDriver.check(here.spec);
  });
});
