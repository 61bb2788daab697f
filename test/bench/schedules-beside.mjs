/**
 * The scheduler beside the cron of graphile-worker and of pg-boss, with the same load in the same run: how long so many
 * cron lines take to be taken up, what the process then weighs, and how late it is when many are due at one instant.
 *
 *   node test/bench/schedules-beside.mjs [--schedules 100000] [--due 1000] [--patience 150]
 *
 * Each in a process of its own; the peers on a PostgreSQL that syncs, as Catena's log does. Both know minutes only, and
 * pg-boss looks at most once a second and hands its jobs on fifty at a time: set here to its fastest. A job counts as there when
 * its row was created. Catena decides more for each (overlap, windows, catch-up, the run and its event).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startTestPostgres } from '@catena/embedded/testing';
import { run } from 'graphile-worker';
import pg from 'pg';
import PgBoss from 'pg-boss';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '100000' },
    due: { type: 'string', default: '1000' },
    patience: { type: 'string', default: '150' },
    peer: { type: 'string' },
    database: { type: 'string' },
  },
});
const count = Number(values.schedules);
const due = Number(values.due);

if (values.peer === undefined) await compare();
else await measure(values.peer === 'graphile-worker' ? await graphileWorker() : await pgBoss());

async function compare() {
  console.log('Catena');
  await child('schedules.mjs', [
    '--schedules',
    values.schedules,
    '--due',
    values.due,
    '--midnight',
    '0',
    '--idle',
    '5',
  ]);
  const server = await startTestPostgres({ durable: true });
  try {
    for (const peer of ['graphile-worker', 'pg-boss']) {
      console.log(peer);
      await child('schedules-beside.mjs', [
        ...process.argv.slice(2),
        '--peer',
        peer,
        '--database',
        server.adminUrl,
      ]);
    }
  } finally {
    await server.close();
  }
}

async function child(program, parameters) {
  const started = spawn(process.execPath, [`${import.meta.dirname}/${program}`, ...parameters], {
    stdio: 'inherit',
  });
  await once(started, 'exit');
}

/** The minute at which everything is due: late enough to be ready by then. */
function nextMinute(seconds) {
  return Math.ceil((Date.now() + seconds * 1000) / 60_000) * 60_000;
}

function lines(at) {
  const when = new Date(at);
  const now = `${when.getUTCMinutes()} ${when.getUTCHours()} ${when.getUTCDate()} ${when.getUTCMonth() + 1} *`;
  const month = ((when.getUTCMonth() + 6) % 12) + 1;
  const far = (index) => `${index % 60} ${Math.floor(index / 60) % 24} ${1 + (index % 28)} ${month} *`;
  return [
    ...Array.from({ length: count }, (_, index) => [`n${index}`, far(index)]),
    ...Array.from({ length: due }, (_, index) => [`d${index}`, now]),
  ];
}

async function graphileWorker() {
  const at = nextMinute(count / 4_000 + 10);
  const began = performance.now();
  const crontab = lines(at)
    .map(([name, cron]) => `${cron} work ?id=${name}`)
    .join('\n');
  const runner = await run({
    connectionString: values.database,
    crontab,
    taskList: {},
    noHandleSignals: true,
    concurrency: 1,
  });
  return {
    at,
    began,
    stop: () => runner.stop(),
    lags: `select extract(epoch from created_at) * 1000 - $1::float8 as lag from graphile_worker._private_jobs order by 1`,
  };
}

async function pgBoss() {
  const at = nextMinute(count / 4_000 + 10);
  const boss = new PgBoss({
    connectionString: values.database,
    cronMonitorIntervalSeconds: 1,
    cronWorkerIntervalSeconds: 1,
  });
  boss.on('error', (error) => console.error(`  ${error.message}`));
  await boss.start();
  await boss.createQueue('work');
  const client = new pg.Client({ connectionString: values.database });
  await client.connect();
  const began = performance.now();
  const all = lines(at);
  await client.query(
    `insert into pgboss.schedule (name, key, cron, timezone, data, options)
      select 'work', key, cron, 'UTC', '{}', '{}' from unnest($1::text[], $2::text[]) as line (key, cron)`,
    [all.map(([name]) => name), all.map(([, cron]) => cron)],
  );
  await client.end();
  return {
    at,
    began,
    stop: () => boss.stop({ graceful: false }),
    lags: `select extract(epoch from created_on) * 1000 - $1::float8 as lag from pgboss.job where name = 'work' order by 1`,
  };
}

async function measure({ at, began, stop, lags }) {
  console.log(`  ${count + due} lines taken up: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  const client = new pg.Client({ connectionString: values.database });
  await client.connect();
  await pause(Math.max(0, at - Date.now()));
  const end = at + Number(values.patience) * 1000;
  let rows = [];
  while (rows.length < due && Date.now() < end) {
    await pause(500);
    ({ rows } = await client.query(lags, [at]));
  }
  const part = (share) =>
    Number(rows[Math.min(rows.length - 1, Math.floor(rows.length * share))]?.lag ?? NaN).toFixed(0);
  const used = process.cpuUsage();
  console.log(
    `  memory: ${(Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024).toFixed(0)} MB at most`,
  );
  console.log(
    `  ${rows.length} of ${due} due at once: p50 ${part(0.5)} ms, p99 ${part(0.99)} ms, last ${part(1)} ms`,
  );
  console.log(`  all of it: ${((used.user + used.system) / 1e6).toFixed(1)} s of a core`);
  await client.end();
  await Promise.race([stop(), pause(5_000)]);
  process.exit(0);
}
