import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startProtectedCluster, type ProtectedCluster } from '../testing/protected-cluster.ts';
import { parseLsn, segmentName, segmentStart } from '../wire/lsn.ts';
import { CommitScanner } from './commit-scanner.ts';
import type { LogMark, TransactionEnd } from './record-listener.ts';
import { RecordWalk } from './record-walk.ts';

interface Written {
  readonly xid: number;
  readonly at: string;
}

describe('the records of a log', () => {
  let cluster: ProtectedCluster;
  let size: bigint;
  let from: bigint;
  let end: bigint;
  let wal: Buffer;
  let written: Written[];
  let rolledBack: number;
  const marks: LogMark[] = [];

  const place = async (text: string) => {
    const [row] = await cluster.sql<{ lsn: string }>(`SELECT (${text})::text AS lsn`);
    return parseLsn(row?.lsn ?? '');
  };

  const rollBackOne = async () => {
    const client = new pg.Client({ connectionString: cluster.server.adminUrl });
    await client.connect();
    try {
      await client.query('BEGIN');
      await client.query('INSERT INTO written VALUES (0)');
      const { rows } = await client.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid');
      await client.query('ROLLBACK');
      return Number(rows[0]?.xid);
    } finally {
      await client.end();
    }
  };

  beforeAll(async () => {
    cluster = await startProtectedCluster({
      settings: { track_commit_timestamp: 'on', wal_keep_size: '1GB' },
    });
    const [settings] = await cluster.sql<{ size: number }>(
      "SELECT pg_size_bytes(current_setting('wal_segment_size'))::int AS size",
    );
    size = BigInt(settings?.size ?? 0);
    from = segmentStart(await place('pg_current_wal_lsn()'), size);
    await cluster.sql('CREATE TABLE written (n int PRIMARY KEY, word text)');
    for (let n = 1; n <= 40; n++) {
      await cluster.sql(`INSERT INTO written VALUES (${n}, repeat(md5('${n}'), 4000))`);
      if (n % 10 === 0)
        marks.push({
          name: `mark ${n}`,
          end: await place(`pg_create_restore_point('mark ${n}')`),
        } as LogMark);
      if (n % 16 === 0) await cluster.sql('SELECT pg_switch_wal()');
    }
    rolledBack = await rollBackOne();
    written = await cluster.sql<Written>(
      `SELECT xmin::text::int AS xid, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint::text AS at
       FROM written ORDER BY n`,
    );
    // A record of its own behind everything, so that all of that is written.
    await cluster.sql('CHECKPOINT');
    end = await place('pg_current_wal_lsn()');
    const pieces: Buffer[] = [];
    for (let at = from; at < end; at += size)
      pieces.push(readFileSync(path.join(cluster.server.dataDir, 'pg_wal', segmentName(1, at, size))));
    wal = Buffer.concat(pieces).subarray(0, Number(end - from));
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  /** Walks through it in pieces of these lengths. */
  function walked(lengths: () => number) {
    const ended: TransactionEnd[] = [];
    const found: LogMark[] = [];
    const records: [number, number][] = [];
    const walk = new RecordWalk(from, size, {
      transaction: (one) => ended.push(one),
      mark: (one) => found.push(one),
      record: (start, stop) => records.push([start, stop]),
    });
    for (let at = 0, length; at < wal.length; at += length) {
      length = lengths();
      walk.push(wal.subarray(at, at + length));
    }
    return { ended, found, records, end: walk.end, position: walk.position };
  }

  it('are found with their times, numbers and places, as the server has them', () => {
    const { ended, found, end: last, position } = walked(() => 131_072);
    const commits = new Map(ended.map((one) => [one.xid, one]));
    for (const { xid, at } of written)
      expect(commits.get(xid)).toMatchObject({ kind: 'commit', at: BigInt(at) });
    expect(commits.get(rolledBack)).toMatchObject({ kind: 'abort' });
    expect(found.map(({ name, end: place }) => ({ name, end: place }))).toEqual(marks);
    expect(position).toBe(end);
    // The server may have written the begin of a page's last record, and nothing more.
    expect(end - (last ?? 0n)).toBeLessThan(8192n);
  });

  it('follow on each other without a gap, but for page headers and what a switch leaves empty', () => {
    const { records } = walked(() => 131_072);
    expect(records.length).toBeGreaterThan(200);
    records.reduce(([, before], next) => {
      expect([0, 24, 40]).toContain(next[0] - before);
      return next;
    });
  });

  it('are the same in whatever pieces they come', () => {
    const whole = walked(() => wal.length);
    let turn = 0;
    expect(walked(() => 1 + ((turn++ * 7919) % 9001))).toEqual(whole);
    expect(walked(() => 61)).toEqual(whole);
  });

  it('are all found by who reads on, wherever it was cut', () => {
    const scan = (start: bigint, counted: bigint, to: bigint) => {
      const scanner = new CommitScanner(start, size, counted);
      scanner.push(wal.subarray(Number(start - from), Number(to - from)));
      return scanner;
    };
    const whole = scan(from, from, end);
    expect(whole.transactions).toHaveLength(1);
    expect(whole.transactions[0]?.[0]).toBeLessThanOrEqual(written[0]!.xid);
    expect(whole.transactions[0]?.[1]).toBe(rolledBack);
    expect(whole.marks.map(({ name, position }) => [name, position])).toEqual(
      marks.map((one) => [one.name, one.end]),
    );
    const boundaries: bigint[] = [];
    for (let at = from + size; at < end; at += size) boundaries.push(at);
    expect(boundaries.length).toBeGreaterThan(1);
    const steps = Array.from({ length: 40 }, (_, turn) => from + (BigInt(turn) * (end - from)) / 40n);
    for (const cut of [...boundaries, ...boundaries.map((at) => at + 24n), ...steps.slice(1)]) {
      const first = scan(from, from, cut);
      const next = first.understoodUntil(cut);
      const second = scan(segmentStart(next, size), next, end);
      expect(first.commits.count + second.commits.count).toBe(whole.commits.count);
      expect(second.commits.last).toEqual(whole.commits.last);
    }
  });
});
