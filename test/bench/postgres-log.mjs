/**
 * How fast a backlog of write-ahead log is drained into an encrypted repository, beside reading the same log and throwing it away.
 *
 *   node test/bench/postgres-log.mjs [--megabytes 4096] [--rounds 3] [--work DIR]
 *
 * An embedded server of its own writes the log by inserting rows of text. Each round is a process of its own, whose time
 * does not include its start; rounds alternate and the best counts, because others may be at work on the machine.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { ownFolder } from './own-folder.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    megabytes: { type: 'string', default: '4096' },
    rounds: { type: 'string', default: '3' },
    work: { type: 'string', default: '/var/tmp' },
  },
});
const MEGABYTE = 1_048_576;

if (positionals[0] === 'drain') await drain(...positionals.slice(1));
else await measure();

/** One log backup, or the same log read and thrown away, in this process. */
async function drain(kind, port, start, folder) {
  const { postgresDriver } = await import('@catena/sources');
  const { generateKeyFile, initialiseRepository, readKey } = await import('@catena/vault');
  process.env.BENCH_PASSWORD = 'only-for-tests';
  const spec = {
    ...{ host: '127.0.0.1', port: Number(port), user: 'backup', password: { env: 'BENCH_PASSWORD' } },
    tls: { mode: 'disable' },
  };
  const key = `${folder}.key`;
  await generateKeyFile(key);
  const keys = [await readKey({ keyFile: { path: key } })];
  const repository = await initialiseRepository(folder, { keys, installation: 'bench' });
  const writer = await repository.collection('bench').beginBackup({
    ...{ backupId: 'log', run: 'run-log', attempt: 1, type: 'log', startedAt: new Date() },
    source: { name: 'bench', uid: 'bench', family: await postgresDriver.family(spec), driver: 'postgres' },
  });
  const before = { at: performance.now(), cpu: process.cpuUsage() };
  const sink = kind === 'null' ? nowhere() : writer;
  const options = { collection: 'bench', start, fork: '1', copyOnly: true };
  const { summary, bytes } = await postgresDriver.log.backup(spec, sink, options);
  const stored =
    kind === 'null' ? 0 : (await writer.finish(summary)).manifest.statistics.bytesStored / MEGABYTE;
  const cpu = process.cpuUsage(before.cpu);
  process.send({
    seconds: (performance.now() - before.at) / 1000,
    cpu: (cpu.user + cpu.system) / 1e6,
    rss: process.resourceUsage().maxRSS / 1024,
    megabytes: bytes / MEGABYTE,
    stored,
  });
  if (kind === 'null') await writer.abandon();
  await repository.close();
}

/** Takes everything and keeps nothing. */
function nowhere() {
  return {
    store: async ({ read }) => {
      let size = 0n;
      for await (const piece of read.open()) size += BigInt(piece.length);
      return { size };
    },
    add: async () => undefined,
    warn: () => undefined,
  };
}

async function measure() {
  const { startProtectedCluster } = await import('@catena/sources/testing/postgres');
  const { folder: work, remove } = await ownFolder(values.work, 'catena-bench-log-');
  const cluster = await startProtectedCluster({
    durable: true,
    settings: { fsync: 'off', wal_keep_size: '40GB', max_wal_size: '4GB', autovacuum: 'off' },
  });
  try {
    const position = async () =>
      BigInt((await cluster.sql("SELECT (pg_current_wal_flush_lsn() - '0/0')::text AS at"))[0].at);
    await cluster.sql('CREATE TABLE filler (n int, words text)');
    const start = await position();
    const target = start + BigInt(values.megabytes) * BigInt(MEGABYTE);
    while ((await position()) < target)
      await cluster.sql(
        "INSERT INTO filler SELECT g, md5(random()::text) || repeat(' a word', 12) FROM generate_series(1, 200000) g",
      );
    const best = new Map();
    for (let round = 1; round <= Number(values.rounds); round += 1) {
      for (const kind of ['null', 'drain']) {
        const folder = path.join(work, `${kind}-${round}`);
        const child = fork(fileURLToPath(import.meta.url), [
          ...['drain', kind, String(cluster.server.port), start.toString(), folder],
        ]);
        const [result] = await once(child, 'message');
        await once(child, 'exit');
        await rm(folder, { recursive: true, force: true });
        if (result.seconds < (best.get(kind)?.seconds ?? Infinity)) best.set(kind, result);
        console.error(kind, round, JSON.stringify(result));
      }
    }
    console.table(
      Object.fromEntries(
        [...best].map(([kind, { seconds, cpu, rss, megabytes, stored }]) => [
          kind,
          {
            'MB/s': Math.round(megabytes / seconds),
            seconds: Number(seconds.toFixed(2)),
            'CPU s': Number(cpu.toFixed(2)),
            'stored MB': Math.round(stored),
            'RSS MB': Math.round(rss),
          },
        ]),
      ),
    );
  } finally {
    await cluster[Symbol.asyncDispose]();
    await remove();
  }
}
