/**
 * The PostgreSQL driver beside pgBackRest and pg_basebackup, on one pgbench database, in one run.
 *
 *   node test/bench/postgres.mjs [--scale 100] [--rounds 3] [--bin DIR] [--pgbench FILE] [--work DIR]
 *
 * A server of its own is started from the programs in --bin (default: the embedded one) and filled by pgbench. Each of
 * our steps is a process of its own, whose time includes its start; rounds alternate; the median counts. pgBackRest (zstd, 2
 * processes) and pg_basebackup (tar, zstd by the server where it can) are timed as whole processes where they are
 * installed for the server's version. Repositories are encrypted for us and plain for the others.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { startProtectedCluster } from '@catena/sources/testing/postgres';
import { ownFolder } from './own-folder.mjs';

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    bin: { type: 'string' },
    pgbench: { type: 'string', default: '/usr/lib/postgresql/15/bin/pgbench' },
    work: { type: 'string', default: '/var/tmp' },
  },
});
const step = fileURLToPath(new URL('postgres-step.mjs', import.meta.url));
const timings = new Map();

function record(what, result) {
  const rows = timings.get(what) ?? [];
  rows.push(result);
  timings.set(what, rows);
}

async function sizeOf(folder) {
  let size = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) size += (await stat(path.join(entry.parentPath, entry.name))).size;
  return size;
}

/** Runs a program to its end; seconds of the wall and of the processor, and the most memory it had (KiB). */
function measured(command, args, options = {}) {
  const begun = performance.now();
  const { status, stderr, stdout } = spawnSync('/usr/bin/time', ['-f', '%U %S %M', command, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
  });
  const seconds = (performance.now() - begun) / 1000;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr}${stdout}`);
  const [user, system, memory] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return { seconds, cpu: user + system, memory };
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

const { folder: work, remove } = await ownFolder(values.work, 'catena-bench-pg-');
await chmod(work, 0o755);
const socket = path.join(work, 'socket');
await mkdir(socket);
await chmod(socket, 0o777);
const version =
  values.bin && execFileSync(path.join(values.bin, 'postgres'), ['--version'], { encoding: 'utf8' });
const cluster = await startProtectedCluster({
  bin: values.bin,
  ...(version ? { major: Number(/\) (\d+)/.exec(version)[1]) } : {}),
  durable: true,
  settings: { unix_socket_directories: socket, shared_buffers: '256MB', max_wal_size: '4GB' },
  hostRules: ['local all all trust', 'local replication all trust'],
});
try {
  const { server } = cluster;
  const { uid, gid } = await stat(server.dataDir);
  const asServer = { uid, gid, cwd: '/' };
  const psql = (text) => cluster.sql(text);
  execFileSync(
    values.pgbench,
    // Room in each page, or every changed row would go to another page and change the index as well.
    ['-i', '-q', '-F', '90', '-s', values.scale, '-h', socket, '-p', server.port, '-U', 'postgres', 'catena'],
    {
      stdio: 'ignore',
    },
  );
  await psql('VACUUM (FREEZE)');
  await psql('CHECKPOINT');
  const [{ major }] = await psql("SELECT current_setting('server_version_num')::int / 10000 AS major");
  const [{ bytes }] = await psql('SELECT sum(pg_database_size(oid))::float8 AS bytes FROM pg_database');
  const ours = (name, ...args) =>
    measured(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      step,
      name,
      work,
      String(server.port),
      ...args,
    ]);
  const rest =
    existsSync('/usr/bin/pgbackrest') && existsSync(`/usr/lib/postgresql/${major}/bin/pg_basebackup`);
  const configuration = path.join(work, 'pgbackrest.conf');
  const restArgs = [`--config=${configuration}`, '--stanza=bench'];
  if (rest) {
    for (const name of ['pgbackrest', 'lock', 'restored-rest']) await mkdir(path.join(work, name));
    for (const name of ['pgbackrest', 'lock', 'restored-rest', '.'])
      await chown(path.join(work, name), uid, gid);
    const settings = {
      ...{ 'repo1-path': `${work}/pgbackrest`, 'lock-path': `${work}/lock`, 'log-path': work },
      ...{ 'log-level-console': 'warn', 'log-level-file': 'off', 'compress-type': 'zst', 'process-max': '2' },
      ...{ 'start-fast': 'y', 'archive-check': 'n', 'repo1-retention-full': '9' },
    };
    const place = {
      'pg1-path': server.dataDir,
      'pg1-socket-path': socket,
      'pg1-port': server.port,
      'pg1-user': 'postgres',
    };
    const lines = (of) =>
      Object.entries(of)
        .map(([name, value]) => `${name}=${value}\n`)
        .join('');
    await writeFile(configuration, `[global]\n${lines(settings)}[bench]\n${lines(place)}`);
    execFileSync('pgbackrest', [...restArgs, 'stanza-create'], asServer);
  }
  for (let round = 1; round <= Number(values.rounds); round++) {
    record('BASE_BACKUP read and thrown away', ours('null'));
    record('full', { ...ours('full', `full-${round}`), bytes: await sizeOf(path.join(work, 'repository')) });
    const restored = path.join(work, 'restored');
    record('restore of the full', ours('restore', `full-${round}`, restored));
    await rm(restored, { recursive: true });
    if (rest) {
      record('pgBackRest full', measured('pgbackrest', [...restArgs, '--type=full', 'backup'], asServer));
      const to = [`--pg1-path=${work}/restored-rest`, '--type=immediate', 'restore'];
      record('pgBackRest restore', measured('pgbackrest', [...restArgs, ...to], asServer));
      execFileSync('find', [`${work}/restored-rest`, '-mindepth', '1', '-delete']);
      const tar = path.join(work, 'basebackup');
      await mkdir(tar);
      await chown(tar, uid, gid);
      const base = [
        '-h',
        socket,
        '-p',
        String(server.port),
        '-U',
        'postgres',
        '-D',
        tar,
        '-Ft',
        '-X',
        'fetch',
        '-c',
        'fast',
      ];
      record(
        'pg_basebackup, tar, zstd by the server',
        measured(
          `/usr/lib/postgresql/${major}/bin/pg_basebackup`,
          [...base, '--compress=server-zstd:1'],
          asServer,
        ),
      );
      await rm(tar, { recursive: true });
    }
    // One row in each of 5 % of the pages (55 rows each), scattered.
    await psql(`UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid % 1100 = ${round} * 7`);
    const before = await sizeOf(path.join(work, 'repository'));
    const incremental = ours('incremental', `inc-${round}`, `full-${round}`);
    record('incremental after 5 % of the pages changed', {
      ...incremental,
      bytes: (await sizeOf(path.join(work, 'repository'))) - before,
    });
    await rm(path.join(work, 'repository'), { recursive: true });
  }
  console.log(`PostgreSQL ${major}, ${Math.round(bytes / 1e6)} MB, ${values.rounds} rounds`);
  console.log('| step | s | CPU s | peak MiB | MB stored |');
  console.log('| --- | --- | --- | --- | --- |');
  for (const [what, rows] of timings) {
    const of = (field) => median(rows.map((row) => row[field]));
    const stored = rows[0].bytes === undefined ? '' : Math.round(of('bytes') / 1e6);
    console.log(
      `| ${what} | ${of('seconds').toFixed(2)} | ${of('cpu').toFixed(2)} | ${Math.round(of('memory') / 1024)} | ${stored} |`,
    );
  }
} finally {
  await cluster[Symbol.asyncDispose]();
  await remove();
}
