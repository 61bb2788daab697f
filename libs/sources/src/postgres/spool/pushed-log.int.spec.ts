import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postgresDriver } from '../postgres-driver.ts';
import { BackedUpCluster } from '../testing/backed-up-cluster.ts';
import { fetchLogFile } from './fetch-log-file.ts';
import { WalSpool } from './wal-spool.ts';

const SEGMENT = /^[0-9A-F]{24}$/;

describe('a log that the server pushes', () => {
  let one: BackedUpCluster;
  let spool: WalSpool;
  let runs = 0;
  /** What was pushed, kept apart: what is recorded is let go. */
  const pushed = new Map<string, Buffer>();

  beforeAll(async () => {
    one = await BackedUpCluster.start({ settings: { wal_keep_size: '1GB' } });
    spool = new WalSpool(one.at('spool'));
    one.spec = { ...one.spec, log: { hold: 'push', spool: spool.folder } };
  });
  afterAll(() => one[Symbol.asyncDispose]());

  /** As archive_command would, all but what is still written to. */
  async function pushAll(): Promise<void> {
    const [row] = await one.cluster.sql<{ name: string }>(
      'SELECT pg_walfile_name(lsn) AS name FROM pg_switch_wal() AS lsn',
    );
    const folder = path.join(one.cluster.server.dataDir, 'pg_wal');
    for (const name of readdirSync(folder).toSorted()) {
      if (!SEGMENT.test(name) || name > row!.name || pushed.has(name)) continue;
      await spool.push(path.join(folder, name));
      pushed.set(name, readFileSync(path.join(folder, name)));
    }
  }

  async function isGap(name: string, target: string): Promise<boolean> {
    return await fetchLogFile(one.collection, name, target).then(
      () => false,
      (error: unknown) => (error as { code?: unknown }).code === 'wal.gap',
    );
  }

  async function log(start: string) {
    runs += 1;
    const writer = await one.collection.beginBackup({
      ...{ backupId: `log-${runs}`, run: `log-run-${runs}`, attempt: 1, type: 'log', startedAt: new Date() },
      source: { name: 'c', uid: 'c', family: await postgresDriver.family(one.spec), driver: 'postgres' },
    });
    try {
      const options = { collection: 'cluster', start, fork: '1', copyOnly: false };
      const { summary } = await postgresDriver.log!.backup(one.spec, writer, options);
      return (await writer.finish(summary)).manifest;
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  it('is backed up as far as it was pushed, and each segment is given back byte for byte', async () => {
    const { manifest: full } = await one.backup('full', 'full');
    await one.cluster.sql('CREATE TABLE a AS SELECT generate_series(1, 20000)');
    await pushAll();
    const first = await log(full.position!.archivePoint!);
    await one.cluster.sql('CREATE TABLE b AS SELECT generate_series(1, 20000)');
    await pushAll();
    const second = await log(first.position!.end);
    expect(second.position!.start).toBe(first.position!.end);
    expect(BigInt(second.position!.end)).toBeGreaterThan(BigInt(second.position!.start!));
    expect(Number(second.driverDetails!['commits'])).toBeGreaterThan(0);

    const target = one.at('fetched');
    let compared = 0;
    for (const [name, bytes] of pushed) {
      // Before the first of all there is nothing, and that is said: a recovery must not end there.
      if (compared === 0 && (await isGap(name, target))) continue;
      expect(await fetchLogFile(one.collection, name, target)).toBe(true);
      expect(readFileSync(target).equals(bytes)).toBe(true);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(1);
    expect(await fetchLogFile(one.collection, '0000000100000FFF00000001', target)).toBe(false);
    expect(await fetchLogFile(one.collection, '00000002.history', target)).toBe(false);

    const nothing = await log(second.position!.end);
    expect(nothing.position).toMatchObject({ start: second.position!.end, end: second.position!.end });
    // The last one stays: a record that begins in it may end in the next.
    expect((await spool.names()).filter((name) => SEGMENT.test(name))).toEqual([[...pushed.keys()].at(-1)]);
  });

  it('a segment that was never pushed is a gap by name', async () => {
    const start = (await one.collection.backup(`log-${runs}`)).manifest.position!.end;
    for (const table of ['c', 'd']) {
      await one.cluster.sql(`CREATE TABLE ${table} (n int)`);
      await pushAll();
    }
    const [, missing] = (await spool.names()).filter((name) => SEGMENT.test(name));
    await rm(spool.at(missing!));
    await expect(log(start)).rejects.toMatchObject({
      code: 'source.history-lost',
      message: expect.stringContaining(missing!),
    });
  });
});
