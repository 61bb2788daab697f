import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BackupView } from '@catena/events';
import {
  BACKUP_ROLE,
  ScratchServer,
  startProtectedCluster,
  StubbornWriter,
  type ProtectedCluster,
} from '@catena/sources/testing/postgres';
import { until } from '../platform/operator.ts';
import { atLength, SeededChance } from '../platform/seeded-chance.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand } from '../scenarios/catena-command.ts';
import { rowsOf } from '../scenarios/rows-of-copy.ts';
import { streamedBank } from '../scenarios/streamed-bank.ts';

const PATIENCE = atLength ? 1_200_000 : 300_000;
const ROUNDS = atLength ? 6 : 1;
const SEGMENT = /^[0-9A-F]{24}$/;

let platform: TestPlatform;
let cluster: ProtectedCluster;
let writer: StubbornWriter;

/** In the order of what they cover: one that came to an idle server is as of a while before. */
async function logs(): Promise<BackupView[]> {
  const backups = await platform.backups('bank');
  const found = backups.filter(({ type }) => type === 'log');
  return found.toSorted(
    (a, b) => Number(BigInt(a.position) - BigInt(b.position)) || Number(BigInt(a.start!) - BigInt(b.start!)),
  );
}

/** Up to where the server may throw its log away, in its own way to write that down. */
async function heldFrom(): Promise<bigint> {
  const [row] = await cluster.sql<{ held: string }>(
    `SELECT (restart_lsn - '0/0')::text AS held FROM pg_replication_slots WHERE slot_name LIKE 'catena\\_%' AND NOT temporary`,
  );
  return BigInt(row?.held ?? '-1');
}

/** Waits until a log backup has been recorded that began after now, and looks whether the slot led meanwhile. */
async function anotherLog(): Promise<void> {
  const before = BigInt((await logs()).at(-1)?.position ?? '0');
  await until('more log is backed up', async () => {
    const held = await heldFrom();
    const known = BigInt((await logs()).at(-1)?.position ?? '0');
    expect(held).toBeLessThanOrEqual(known > 0n ? known : held);
    return known > before;
  });
}

const victims = {
  mover: () => platform.kill9('mover-1'),
  nats: () => platform.kill9('nats'),
  catalog: () => platform.kill9('chain-catalog-1'),
  source: async () => {
    await cluster.server.kill9();
    await cluster.server.restart();
  },
};

beforeAll(async () => {
  cluster = await startProtectedCluster({
    durable: true,
    settings: { max_slot_wal_keep_size: '4GB', wal_keep_size: '4GB', max_wal_size: '64MB' },
  });
  platform = await TestPlatform.start({ environment: { CATENA_JOB_WAIT_SECONDS: '2' } });
  mkdirSync(path.join(platform.home, 'bank'));
  writeFileSync(path.join(platform.home, 'bank', 'password'), BACKUP_ROLE.password, { mode: 0o600 });
  writer = new StubbornWriter(cluster.server.adminUrl);
  const file = path.join(platform.place('definitions'), 'bank.yaml');
  writeFileSync(file, streamedBank(cluster.server.port, '1s'));
  const catena = new CatenaCommand(platform.home, { folder: platform.folder });
  await catena.ask('apply', file);
  await until('logs are there', async () => (await logs()).length >= 2);
}, PATIENCE);

afterAll(async () => {
  await writer.stop();
  await platform[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
}, PATIENCE);

describe('a log that is streamed while its writer never stops', () => {
  it(
    'goes on without a gap when mover, nats-server, catalog and source are killed, and the slot never leads',
    async () => {
      const chance = new SeededChance('continuous');
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const kill of Object.values(victims)) {
          await sleep(chance.whole(0, 1_200));
          await kill();
          await anotherLog();
        }
      }
      const all = await logs();
      for (const [index, { start }] of all.entries())
        if (index > 0) expect(start).toBe(all[index - 1]?.position);
    },
    PATIENCE,
  );

  it(
    'is restored with every byte and every row',
    async () => {
      await writer.stop();
      const [end] = await cluster.sql<{ at: string }>(
        "SELECT (pg_current_wal_flush_lsn() - '0/0')::text AS at",
      );
      await until('the end is backed up', async () => {
        const newest = (await logs()).at(-1);
        return newest !== undefined && BigInt(newest.position) >= BigInt(end!.at);
      });
      const target = path.join(platform.place('restored'), 'newest');
      const catena = new CatenaCommand(platform.home, { folder: platform.folder });
      await catena.ask('restore', 'bank', '--to', target);
      // The last one still grew at the source; what was recycled is not the log any more.
      const names = readdirSync(path.join(target, 'pg_wal')).filter((name) => SEGMENT.test(name));
      const whole = names.toSorted().slice(0, -1);
      for (const name of whole) {
        const original = readFileSync(path.join(cluster.server.dataDir, 'pg_wal', name));
        expect(readFileSync(path.join(target, 'pg_wal', name)).equals(original)).toBe(true);
      }
      expect(whole.length).toBeGreaterThan(0);
      const server = await ScratchServer.start({ folder: target, bin: cluster.server.bin });
      try {
        const [row] = await rowsOf<{ count: number; last: number }>(
          server,
          'SELECT count(*)::int AS count, max(n) AS last FROM written',
        );
        const [source] = await cluster.sql<{ count: number; last: number }>(
          'SELECT count(*)::int AS count, max(n) AS last FROM written',
        );
        expect(row).toEqual(source);
        expect(row!.last).toBeGreaterThanOrEqual(writer.acknowledged);
      } finally {
        await server.stop();
      }
    },
    PATIENCE,
  );
});
