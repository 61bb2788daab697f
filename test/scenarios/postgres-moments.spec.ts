/**
 * Restores of a cluster to many places in its history while a writer never stops, through every type of backup, over a
 * crash of the server and a promotion. Each must hold exactly the transactions that were committed by then: what the
 * server says (`track_commit_timestamp`) is the oracle for times and transactions, what was acknowledged for positions and marks.
 */
import { chownSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { RestoreStop } from '@catena/events';
import { BackedUpCluster, ScratchServer, Writer } from '@catena/sources/testing/postgres';
import { atLength, SeededChance } from '../platform/seeded-chance.ts';
import { rowsOf } from './rows-of-copy.ts';

const SEED = process.env['CATENA_TEST_SEED'] ?? 'moments';
const MOMENTS = atLength ? 20 : 1;
const TRANSACTIONS = atLength ? 4 : 0;

interface Written {
  readonly n: number;
  readonly xid: string;
  readonly at: string;
}

/** A backup as far as a restore is planned from it here. */
interface Taken {
  readonly id: string;
  readonly end: bigint;
  readonly asOf: string;
  readonly fork: string;
}

/** A place of which it is known what is to be there. */
interface Place {
  readonly position: bigint;
  readonly mark: string;
  readonly last: number;
}

let here: BackedUpCluster;
let writer: Writer;
const chance = new SeededChance(SEED);
const data: Taken[] = [];
const logs: Taken[] = [];
const places: Place[] = [];

type Manifest = Awaited<ReturnType<BackedUpCluster['log']>>;

function taken({ backup, position, asOf }: Manifest): Taken {
  return { id: backup, end: BigInt(position?.end ?? 0), asOf, fork: position?.fork ?? '' };
}

async function backUp(id: string, type: 'full' | 'differential' | 'incremental', of: object = {}) {
  data.push(taken((await here.backup(id, type, of)).manifest));
  await writer.some();
}

async function backUpLog() {
  const last = logs.at(-1) ?? data[0]!;
  logs.push(taken(await here.log(`log-${logs.length}`, last.end.toString(), {}, last.fork)));
}

/** Between two transactions of the writer. */
async function leaveMark() {
  await writer.stop();
  const mark = `mark ${places.length}`;
  const [row] = await here.cluster.sql<{ lsn: string }>(
    `SELECT pg_create_restore_point('${mark}')::text AS lsn`,
  );
  const [high = '0', low = '0'] = (row?.lsn ?? '').split('/');
  const position = (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
  places.push({ mark, position, last: writer.acknowledged });
  writer = await Writer.start(here.cluster.server.adminUrl);
  await writer.some();
}

async function crash() {
  const { server } = here.cluster;
  // What was on its way when it was killed may be there or not: the writer begins behind it.
  const stopped = writer.stop().catch(() => undefined);
  await server.kill9();
  await stopped;
  await server.restart();
  writer = await Writer.start(server.adminUrl);
  await writer.some();
}

/** The cluster becomes its own standby and is promoted: it goes on as the next timeline. */
async function promote() {
  const { server, sql } = here.cluster;
  await writer.stop();
  await server.stop();
  const signal = path.join(server.dataDir, 'standby.signal');
  writeFileSync(signal, '');
  const { uid, gid } = statSync(server.dataDir);
  chownSync(signal, uid, gid);
  await server.restart();
  await sql('SELECT pg_promote()');
  writer = await Writer.start(server.adminUrl);
  await writer.some();
}

/** What the server says was committed, by its own times. */
async function committed(): Promise<Written[]> {
  return await here.cluster.sql<Written>(
    `SELECT n, xmin::text AS xid,
       to_char(pg_xact_commit_timestamp(xmin) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at
     FROM written ORDER BY n`,
  );
}

let restores = 0;

async function numbersAt(
  stop: RestoreStop | undefined,
  isBefore: (one: Taken) => boolean,
): Promise<number[]> {
  restores += 1;
  const base = data.filter(isBefore).at(-1)!;
  const folder = here.at('restored', String(restores));
  const { cluster } = await here.restoreTo(folder, base.id, {
    run: `restore-${restores}`,
    logs: logs.filter(({ end }) => end > base.end).map(({ id }) => id),
    ...(stop === undefined ? {} : { stop }),
    cluster: { start: 'stopAgain', programs: here.cluster.server.bin },
  });
  expect(cluster?.reached?.position).toBe(cluster?.planned);
  const server = await ScratchServer.start({ folder, bin: here.cluster.server.bin });
  try {
    return (await rowsOf<{ n: number }>(server, 'SELECT n FROM written ORDER BY n')).map(({ n }) => n);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
}

beforeAll(async () => {
  here = await BackedUpCluster.start({
    durable: true,
    settings: { track_commit_timestamp: 'on', wal_keep_size: '1GB', synchronous_commit: 'on' },
  });
  writer = await Writer.start(here.cluster.server.adminUrl);
  await backUp('full', 'full');
  await leaveMark();
  await backUpLog();
  await backUp('diff', 'differential', { base: 'full' });
  await crash();
  await leaveMark();
  await backUp('inc', 'incremental', { parent: 'diff' });
  await backUpLog();
  await promote();
  await backUpLog();
  await leaveMark();
  await backUpLog();
  await backUp('full-2', 'full');
  await leaveMark();
  await writer.stop();
  await backUpLog();
});

afterAll(() => here[Symbol.asyncDispose]());

it(`every moment holds exactly what was committed by then (seed ${SEED})`, async () => {
  const rows = await committed();
  const after = rows.filter(({ at }) => at > data[0]!.asOf);
  for (let turn = 0; turn < MOMENTS; turn++) {
    const { at } = chance.pick(after);
    const there = await numbersAt({ at }, ({ asOf }) => asOf <= at);
    expect({ at, there }).toEqual({ at, there: rows.filter((row) => row.at <= at).map(({ n }) => n) });
  }
}, 900_000);

it(`so do positions, marks and transactions, over the crash and the promotion (seed ${SEED})`, async () => {
  const rows = await committed();
  const upTo = (last: number) => rows.map(({ n }) => n).filter((n) => n <= last);
  const some = <T>(choices: readonly T[]) => (atLength ? choices : [chance.pick(choices)]);
  for (const { position, last } of some(places)) {
    const stop = { position: position.toString() };
    expect(await numbersAt(stop, ({ end }) => end <= position)).toEqual(upTo(last));
  }
  for (const { mark, position, last } of atLength ? places : [])
    expect(await numbersAt({ mark }, ({ end }) => end <= position)).toEqual(upTo(last));
  for (let turn = 0; turn < TRANSACTIONS; turn++) {
    const { xid, at, n } = chance.pick(rows.filter((row) => row.at > data[0]!.asOf));
    // Its own place is not known here: a backup before its time is before its record.
    const before = new Date(Date.parse(at) - 1).toISOString();
    const there = await numbersAt({ transaction: xid }, ({ asOf, id }) => asOf < before || id === 'full');
    expect(there).toEqual(upTo(n));
  }
}, 900_000);

it('a database that nobody writes to any more is restored to its newest state', async () => {
  const rows = await committed();
  expect(await numbersAt(undefined, () => true)).toEqual(rows.map(({ n }) => n));
});
