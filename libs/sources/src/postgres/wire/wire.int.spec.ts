import { createHash } from 'node:crypto';
import { execFileSync, spawnSync } from 'node:child_process';
import { chown, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startProtectedCluster, type ProtectedCluster } from '../testing/protected-cluster.ts';
import { serversToTry } from '../testing/servers-to-try.ts';
import { BaseBackup, type BaseBackupOptions } from './base-backup.ts';
import { ReplicationConnection } from './connection.ts';
import { parseLsn, segmentName, segmentStart } from './lsn.ts';
import { createPhysicalSlot, dropSlot } from './slots.ts';
import { identifySystem, readSettings, show } from './system.ts';
import { uploadManifest } from './upload-manifest.ts';
import { WalStream } from './wal-stream.ts';

const OPTIONS: BaseBackupOptions = {
  label: "a test's",
  checkpoint: 'fast',
  includeWal: false,
  manifestChecksums: 'SHA256',
  verifyChecksums: true,
};

async function drain(backup: BaseBackup, slowly = false) {
  const manifest: Buffer[] = [];
  let bytes = 0;
  let chunks = 0;
  let inManifest = false;
  for await (const part of backup.parts()) {
    if (part.kind === 'archive') continue;
    if (part.kind === 'manifest') inManifest = true;
    else if (inManifest) manifest.push(Buffer.from(part.bytes));
    else {
      bytes += part.bytes.length;
      if (slowly && (chunks += 1) % 16 === 0) await sleep(2);
    }
  }
  return { bytes, manifest: Buffer.concat(manifest) };
}

/** The archive ends with a block, and the manifest is what it says of itself. */
function expectWhole({ bytes, manifest }: { readonly bytes: number; readonly manifest: Buffer }): void {
  expect(bytes % 512).toBe(0);
  const text = manifest.toString('utf8');
  const sealed = text.slice(0, text.lastIndexOf('"Manifest-Checksum"'));
  expect(JSON.parse(text)).toMatchObject({
    'Manifest-Checksum': createHash('sha256').update(sealed).digest('hex'),
  });
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of source) found.push(one);
  return found;
}

describe('a replication connection', () => {
  let cluster: ProtectedCluster;
  const open = (options = {}) => ReplicationConnection.open(cluster.address, options);

  beforeAll(async () => {
    cluster = await startProtectedCluster();
    await cluster.sql(
      'CREATE TABLE filled AS SELECT n, md5(n::text) AS word FROM generate_series(1, 100000) n',
    );
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  it('tells who the cluster is, exactly, and what decides how it is backed up', async () => {
    using connection = await open();
    const [known] = await cluster.sql<{ id: string }>(
      'SELECT system_identifier::text AS id FROM pg_control_system()',
    );
    expect(await identifySystem(connection)).toMatchObject({ systemIdentifier: known?.id, timeline: 1 });
    expect(await readSettings(connection)).toMatchObject({
      major: 18,
      blockSize: 8192,
      walSegmentSize: 4n * 1024n * 1024n,
      hasPageChecksums: true,
      summarizesWal: true,
      slotLimit: undefined,
    });
    expect(await show(connection, 'wal_level')).toBe('replica');
  });

  it('goes on after an error of one command', async () => {
    using connection = await open();
    await expect(connection.ask('SELECT 1')).rejects.toMatchObject({ code: 'source.commandFailed' });
    expect(await identifySystem(connection)).toMatchObject({ timeline: 1 });
  });

  it('gives a base backup whole, however slowly it is read', async () => {
    using connection = await open();
    const backup = await BaseBackup.begin(connection, OPTIONS);
    expectWhole(await drain(backup, true));
    const end = await backup.end();
    expect(end.position).toBeGreaterThan(backup.start.position);
    expect(await identifySystem(connection)).toMatchObject({ timeline: 1 });
  });

  it('gives an incremental after the manifest was uploaded on the same connection, and refuses an altered one', async () => {
    using connection = await open();
    const full = await BaseBackup.begin(connection, OPTIONS);
    const { bytes, manifest } = await drain(full);
    await full.end();
    await uploadManifest(connection, [manifest.subarray(0, 100), manifest.subarray(100)]);
    const incremental = await BaseBackup.begin(connection, { ...OPTIONS, incremental: true });
    expect((await drain(incremental)).bytes).toBeLessThan(bytes / 2);
    await incremental.end();
    const altered = Buffer.from(manifest);
    altered[20] = (altered[20] ?? 0) ^ 1;
    await expect(
      (async () => {
        await uploadManifest(connection, [altered]);
        await BaseBackup.begin(connection, { ...OPTIONS, incremental: true });
      })(),
    ).rejects.toMatchObject({ code: 'source.commandFailed' });
  });

  it('stops a base backup at both ends when it is cancelled', async () => {
    const controller = new AbortController();
    const connection = await open({ signal: controller.signal, applicationName: 'to-be-cancelled' });
    const backup = await BaseBackup.begin(connection, { ...OPTIONS, maxRate: 1024 });
    const reading = drain(backup);
    controller.abort(new Error('cancelled by a person'));
    await expect(reading).rejects.toThrow('cancelled by a person');
    const running = () =>
      cluster.sql("SELECT 1 FROM pg_stat_replication WHERE application_name = 'to-be-cancelled'");
    while ((await running()).length > 0) await sleep(20);
  });

  it('ends a command that the server no longer answers', async () => {
    using patient = await open();
    const { position, timeline } = await identifySystem(patient);
    using connection = await open({ silenceMilliseconds: 200 });
    const streamed = async () => {
      const from = { position: segmentStart(position, 4194304n), timeline };
      return all((await WalStream.begin(connection, from)).pieces());
    };
    await expect(streamed()).rejects.toMatchObject({
      code: 'source.connectionLost',
      retryable: true,
    });
  });

  it('streams the log without a gap, byte by byte as the server has it, and over a stop', async () => {
    using connection = await open();
    await createPhysicalSlot(connection, 'stream');
    const { position, timeline } = await identifySystem(connection);
    const begin = segmentStart(position, 4194304n);
    await cluster.sql('CREATE TABLE more AS SELECT n, md5(n::text) AS word FROM generate_series(1, 60000) n');
    await cluster.sql('SELECT pg_switch_wal()');
    const until = async (from: bigint, target: bigint) => {
      const stream = await WalStream.begin(connection, { position: from, timeline, slot: 'stream' });
      const pieces: Buffer[] = [];
      let reached = from;
      for await (const piece of stream.pieces()) {
        expect(piece.position).toBe(reached);
        pieces.push(Buffer.from(piece.bytes));
        reached += BigInt(piece.bytes.length);
        if (reached >= target) stream.stop();
      }
      stream.stop();
      expect(await stream.end()).toBeUndefined();
      return { reached, bytes: Buffer.concat(pieces) };
    };
    const first = await until(begin, begin + 1_000_000n);
    const second = await until(first.reached, begin + 4194304n);
    const whole = Buffer.concat([first.bytes, second.bytes]).subarray(0, 4194304);
    const file = path.join(cluster.server.dataDir, 'pg_wal', segmentName(timeline, begin, 4194304n));
    expect(whole.equals(await readFile(file))).toBe(true);
    await dropSlot(connection, 'stream');
  });

  it('moves a slot only by what was reported as flushed', async () => {
    using connection = await open();
    await createPhysicalSlot(connection, 'flushed');
    const { position, timeline } = await identifySystem(connection);
    const begin = segmentStart(position, 4194304n);
    const slotAt = async () => {
      const rows = await cluster.sql<{ at: string }>(
        "SELECT restart_lsn::text AS at FROM pg_replication_slots WHERE slot_name = 'flushed'",
      );
      return parseLsn(rows[0]?.at ?? '');
    };
    await cluster.sql('CREATE TABLE yet_more AS SELECT n FROM generate_series(1, 20000) n');
    const stream = await WalStream.begin(connection, {
      position: begin,
      timeline,
      slot: 'flushed',
      statusMilliseconds: 20,
    });
    const pieces = stream.pieces();
    const piece = (await pieces.next()).value;
    const reached = (piece?.position ?? 0n) + BigInt(piece?.bytes.length ?? 0);
    await sleep(100);
    expect(await slotAt()).toBeLessThan(reached);
    stream.reportFlushed(reached);
    while ((await slotAt()) !== reached) await sleep(20);
    stream.stop();
    await all(pieces);
    await stream.end();
    await dropSlot(connection, 'flushed');
  });
});

describe('a server that cannot be backed up is refused with the remedy', () => {
  it('no connection, wrong password, no replication, no rule', async () => {
    await using cluster = await startProtectedCluster();
    const { address } = cluster;
    const open = (change: object) => ReplicationConnection.open({ ...address, ...change });
    await expect(open({ port: 1 })).rejects.toMatchObject({ code: 'source.notFound', retryable: true });
    await expect(open({ password: 'wrong' })).rejects.toMatchObject({ code: 'source.accessDenied' });
    await expect(open({ tls: 'require' })).rejects.toMatchObject({ code: 'source.notSupported' });
    await expect(open({ user: 'catena' })).rejects.toMatchObject({
      code: 'source.accessDenied',
      remedy: expect.stringContaining('pg_hba.conf') as unknown,
    });
    using connection = await open({ tls: 'prefer' });
    expect(connection.majorVersion).toBe(18);
    await cluster.sql('ALTER ROLE backup NOREPLICATION');
    await expect(open({})).rejects.toMatchObject({
      code: 'source.accessDenied',
      remedy: expect.stringContaining('WITH REPLICATION') as unknown,
    });
  });

  it('wal_level minimal, and no WAL sender left', async () => {
    await using minimal = await startProtectedCluster({
      settings: { wal_level: 'minimal', max_wal_senders: '0', summarize_wal: 'off' },
    });
    await expect(ReplicationConnection.open(minimal.address)).rejects.toMatchObject({
      code: 'source.notSupported',
      remedy: expect.stringContaining('wal_level') as unknown,
    });
    await using scarce = await startProtectedCluster({ settings: { max_wal_senders: '1' } });
    using first = await ReplicationConnection.open(scarce.address);
    expect(first.majorVersion).toBe(18);
    await expect(ReplicationConnection.open(scarce.address)).rejects.toMatchObject({
      code: 'source.unreachable',
      retryable: true,
      remedy: expect.stringContaining('max_wal_senders') as unknown,
    });
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

(hasOpenssl ? describe : describe.skip).each(serversToTry())(
  'TLS with PostgreSQL $major',
  ({ major, bin }) => {
    it('is taken where it is there, and whom one talks to is checked when that is asked for', async () => {
      await using cluster = await startProtectedCluster({ bin, major });
      const { dataDir } = cluster.server;
      const files = { key: path.join(dataDir, 'server.key'), certificate: path.join(dataDir, 'server.crt') };
      execFileSync(
        'openssl',
        [
          ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
          ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', files.key, '-out', files.certificate],
        ],
        { stdio: 'ignore' },
      );
      const { uid, gid } = await stat(dataDir);
      for (const file of Object.values(files)) await chown(file, uid, gid);
      await cluster.sql('ALTER SYSTEM SET ssl = on');
      await cluster.sql('SELECT pg_reload_conf()');
      const ca = await readFile(files.certificate, 'utf8');
      const open = (change: object) => ReplicationConnection.open({ ...cluster.address, ...change });
      const isEncrypted = async (change: object) => {
        using connection = await open(change);
        expect(connection.majorVersion).toBe(major);
        const rows = await cluster.sql<{ ssl: boolean }>(
          "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_replication USING (pid) WHERE application_name = 'catena'",
        );
        return rows.map(({ ssl }) => ssl);
      };
      while (!(await isEncrypted({ tls: 'prefer' })).includes(true)) await sleep(50);
      expect(await isEncrypted({ tls: 'verify-ca', certificateAuthority: ca })).toContain(true);
      expect(
        await isEncrypted({ tls: 'verify-full', certificateAuthority: ca, host: 'localhost' }),
      ).toContain(true);
      using secured = await open({ tls: 'verify-ca', certificateAuthority: ca });
      const backup = await BaseBackup.begin(secured, OPTIONS);
      expectWhole(await drain(backup));
      await backup.end();
      const refused = {
        code: 'source.accessDenied',
        remedy: expect.stringContaining('authority') as unknown,
      };
      await expect(open({ tls: 'verify-full' })).rejects.toMatchObject(refused);
      await expect(open({ tls: 'verify-full', certificateAuthority: ca })).rejects.toMatchObject(refused);
    });
  },
);
