/** The log of a cluster that is promoted again and again while it is backed up. */
import { chownSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { timelineOf } from '../cluster/fork.ts';
import { BackedUpCluster } from '../testing/backed-up-cluster.ts';
import { serversToTry } from '../testing/servers-to-try.ts';

const atLength = process.env['CATENA_TEST_LONG'] === '1';
/** Seals as soon as something has come. */
const AT_ONCE = { sealAfter: 1, sealBytes: 1 << 30 };
/** What ends before has ended for another reason. */
const NEVER = { sealAfter: 3_600_000, sealBytes: 1 << 30 };

describe.each(serversToTry())('promotions of PostgreSQL $major', ({ major, bin }) => {
  let here: BackedUpCluster;
  let rows = 0;
  const logs: string[] = [];
  type Manifest = Awaited<ReturnType<BackedUpCluster['log']>>;

  beforeAll(async () => {
    here = await BackedUpCluster.start({
      ...(bin === undefined ? {} : { bin, major }),
      settings: { wal_keep_size: '1GB', synchronous_commit: 'on' },
    });
    await here.cluster.sql('CREATE TABLE kept (n int)');
  });
  afterAll(() => here[Symbol.asyncDispose]());

  /** Some rows, and a segment of the log of their own. */
  async function write(): Promise<void> {
    rows += 1;
    await here.cluster.sql(`INSERT INTO kept VALUES (${rows})`);
    await here.cluster.sql('SELECT pg_switch_wal()');
    rows += 1;
    await here.cluster.sql(`INSERT INTO kept VALUES (${rows})`);
  }

  async function becomeStandby(): Promise<void> {
    const { server } = here.cluster;
    await server.stop();
    const signal = path.join(server.dataDir, 'standby.signal');
    writeFileSync(signal, '');
    const { uid, gid } = statSync(server.dataDir);
    chownSync(signal, uid, gid);
    await server.restart();
  }

  async function promote(): Promise<void> {
    await becomeStandby();
    await here.cluster.sql('SELECT pg_promote()');
  }

  async function logAfter(
    { position }: Manifest,
    fork = position?.fork,
    stream = AT_ONCE,
  ): Promise<Manifest> {
    const id = `log-${logs.length}`;
    const manifest = await here.log(id, position!.end, {}, fork, stream);
    logs.push(id);
    return manifest;
  }

  const timelines = (manifests: readonly Manifest[]) =>
    manifests.map(({ position }) => timelineOf(position!.fork!));

  it('lose nothing: the log of each timeline is taken to its end, also when a data backup came before it', async () => {
    const { manifest: full } = await here.backup('full', 'full');
    await write();
    const first = await logAfter({
      ...full,
      position: { ...full.position!, end: full.position!.archivePoint! },
    });
    await write();
    await promote();
    await write();
    await promote();
    await write();
    // It tells the catalog of the third timeline; the log goes on from where it stood.
    const { manifest: newest } = await here.backup('newest', 'full');
    const second = await logAfter(first, newest.position!.fork);
    const third = await logAfter(second);
    const fourth = await logAfter(third);
    expect(timelines([first, second, third, fourth])).toEqual([1, 1, 2, 3]);
    for (const [before, after] of [
      [first, second] as const,
      [second, third] as const,
      [third, fourth] as const,
    ])
      expect(after.position?.start).toBe(before.position?.end);
    await here.restored(
      'full',
      async (sql) => {
        const all = Array.from({ length: rows }, (_, index) => ({ n: index + 1 }));
        expect(await sql('SELECT n FROM kept ORDER BY n')).toEqual(all);
      },
      { logs },
    );
  });

  if (atLength)
    it('end what streams at once, where the timeline ends, and the next goes on there', async () => {
      const last = await here.log(
        'last',
        (await here.collection.backup(logs.at(-1)!)).manifest.position!.end,
      );
      await becomeStandby();
      const streaming = here.log('streaming', last.position!.end, {}, last.position!.fork, NEVER);
      await here.cluster.sql('SELECT pg_promote()');
      const ended = await streaming;
      await write();
      const next = await here.log('next', ended.position!.end, {}, ended.position!.fork, AT_ONCE);
      expect(timelines([last, ended, next])).toEqual([3, 3, 4]);
      expect(next.position).toMatchObject({ start: ended.position!.end, forkAt: ended.position!.end });
      await here.restored(
        'newest',
        async (sql) =>
          expect(await sql('SELECT max(n) AS n, count(*)::int AS rows FROM kept')).toEqual([
            { n: rows, rows },
          ]),
        { logs: [...logs, 'last', 'streaming', 'next'] },
      );
    });
});
