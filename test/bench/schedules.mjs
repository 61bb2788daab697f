/**
 * What a hundred thousand schedules cost one scheduler process, and how late it is when many are due at once.
 *
 *   node test/bench/schedules.mjs [--schedules 100000] [--due 1000] [--midnight 10000] [--idle 30]
 *
 * A real nats-server of its own with the durability of a real home; the scheduler is the compiled program in a process of
 * its own. Definitions go straight into the log. Lag is from the nominal instant to the event's arrival at a reader.
 *
 * The goals with 100 000 schedules: loaded in 10 s, 400 MB, idle below 1 % of a core, 1000 due in one second with a p99 of 250 ms,
 * 10 000 due at once all requested within 5 s. What was measured stands in docs/benchmarks.md.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startTestNats } from '@catena/embedded/testing';
import { connectNats, EMPTY_HEAD, ensureStreams, openEventLog, openMessages } from '@catena/event-log';
import { definitionId, domainEvent, requestSubject, schedulerRequests, stamp } from '@catena/events';
import { ownFolder, ownProgram } from './own-folder.mjs';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '100000' },
    due: { type: 'string', default: '1000' },
    midnight: { type: 'string', default: '10000' },
    idle: { type: 'string', default: '30' },
  },
});
const program = path.join(import.meta.dirname, '../../apps/scheduler/dist/main.js');
const PER_APPEND = 500;

const own = await ownFolder(tmpdir(), 'catena-bench-');
const server = await startTestNats();
const link = await connectNats({
  url: server.url,
  user: server.admin.user,
  password: server.admin.password,
  name: 'bench',
});
await ensureStreams(link);
const log = await openEventLog(link);
const messages = openMessages(link);
let scheduler;
try {
  await define([definition('Repository', 'vault', { store: 'fs', fs: { path: '/vault' } })]);
  const count = Number(values.schedules);
  await define(Array.from({ length: 100 }, (_, index) => source(`s${index}`)));
  // Far from any time of the measurement, and every one of another text.
  await define(
    Array.from({ length: count }, (_, index) => schedule(`n${index}`, `s${index % 100}`, farFromNow(index))),
  );
  const began = performance.now();
  scheduler = startScheduler();
  await answered();
  report(
    `${count} schedules loaded`,
    `${((performance.now() - began) / 1000).toFixed(1)} s from the start of the process, ${((await ticks()) / 100).toFixed(1)} s of a core`,
  );
  await memory();
  // The snapshot is written five seconds after the start, once: that is not what being idle costs.
  await pause(15_000);
  await idle();
  await startedAgain(count);
  await burst('due in one second', Number(values.due), 'd');
  await burst('due at once', Number(values.midnight), 'm');
  await memory();
} finally {
  await ended();
  await messages.close();
  await log.close();
  await link.close();
  await server.close();
  await own.remove();
}

function startScheduler() {
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    CATENA_NATS_URL: server.url,
    CATENA_NATS_USER: server.users.scheduler.user,
    CATENA_NATS_PASSWORD: server.users.scheduler.password,
    CATENA_INSTANCE: 'bench',
    CATENA_LOG_LEVEL: 'error',
  };
  // As the platform and the systemd unit start it.
  const heap = ['--max-semi-space-size=4', '--heap-growing-percent=60'];
  const options = { env, stdio: ['ignore', 'inherit', 'inherit'] };
  return ownProgram(own, 'scheduler', [...heap, program], options);
}

/** Resolves when the scheduler answers, having read the whole log. */
async function answered() {
  const subject = requestSubject(schedulerRequests.listScheduleStatus);
  for (let tried = 0; tried < 600; tried += 1) {
    const answer = await messages
      .ask(subject, { limit: 1 }, { timeoutMilliseconds: 30_000 })
      .catch(() => undefined);
    if (answer?.ok) return;
    await pause(100);
  }
  throw new Error('The scheduler did not answer.');
}

async function idle() {
  const seconds = Number(values.idle);
  const before = await ticks();
  await pause(seconds * 1000);
  const used = ((await ticks()) - before) / 100 / seconds;
  report('idle', `${(used * 100).toFixed(2)} % of a core over ${seconds} s`);
}

/** Ends the scheduler and starts it again: from the snapshot that it has kept meanwhile. */
async function startedAgain(count) {
  await ended();
  const began = performance.now();
  scheduler = startScheduler();
  await answered();
  report(
    `${count} schedules loaded from the snapshot`,
    `${((performance.now() - began) / 1000).toFixed(1)} s from the start of the process, ${((await ticks()) / 100).toFixed(1)} s of a core`,
  );
  await memory();
  await pause(5_000);
}

async function ended() {
  scheduler?.kill('SIGTERM');
  if (scheduler && scheduler.exitCode === null) await once(scheduler, 'exit');
}

/** Processor time of the scheduler in hundredths of a second. */
async function ticks() {
  const stat = (await readFile(`/proc/${scheduler.pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return Number(stat[11]) + Number(stat[12]);
}

async function memory() {
  const status = await readFile(`/proc/${scheduler.pid}/status`, 'utf8');
  const mega = (name) => (Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024).toFixed(0);
  report('memory', `${mega('VmRSS')} MB now, ${mega('VmHWM')} MB at most`);
}

/** Defines schedules that are due at one instant, each of a source of its own, and waits for all of them. */
async function burst(what, count, prefix) {
  if (count === 0) return;
  // Time enough to define them all before they are due.
  const at = Math.ceil((Date.now() + 5_000 + count * 4) / 1000) * 1000;
  const when = new Date(at);
  const cron = `${when.getUTCSeconds()} ${when.getUTCMinutes()} ${when.getUTCHours()} ${when.getUTCDate()} ${when.getUTCMonth() + 1} *`;
  await define(Array.from({ length: count }, (_, index) => source(`${prefix}${index}`)));
  await define(
    Array.from({ length: count }, (_, index) => schedule(`${prefix}${index}`, `${prefix}${index}`, cron)),
  );
  if (Date.now() > at - 1000) throw new Error('Defining took too long for a measurement.');
  const lags = [];
  const stop = new AbortController();
  const from = (await log.lastSequence()) + 1;
  for await (const batch of log.follow({ from, types: ['run.requested'], signal: stop.signal })) {
    const now = Date.now();
    for (let index = 0; index < batch.events.length; index += 1) lags.push(now - at);
    if (lags.length >= count) break;
  }
  stop.abort();
  lags.sort((left, right) => left - right);
  const part = (share) => lags[Math.min(lags.length - 1, Math.floor(lags.length * share))];
  report(
    `${count} ${what}`,
    `requested with lag p50 ${part(0.5)} ms, p99 ${part(0.99)} ms, last ${lags.at(-1)} ms`,
  );
}

function farFromNow(index) {
  const month = ((new Date().getUTCMonth() + 6) % 12) + 1;
  return `${index % 60} ${Math.floor(index / 60) % 24} ${1 + (index % 28)} ${month} *`;
}

function source(name) {
  return definition('Source', name, { driver: 'files', files: { path: `/data/${name}` } });
}

function schedule(name, of, cron) {
  return definition('Schedule', name, { source: of, repository: 'vault', full: cron, firstRun: 'scheduled' });
}

function definition(kind, name, spec) {
  const id = definitionId(kind, name);
  return domainEvent('definition.applied', id, {
    kind,
    name,
    uid: `${kind.toLowerCase()}-${name}`,
    generation: 1,
    labels: {},
    spec,
  });
}

async function define(events) {
  for (let start = 0; start < events.length; start += PER_APPEND) {
    const context = {
      time: new Date().toISOString(),
      actor: 'person:bench',
      correlationId: 'bench',
      causationId: 'bench',
    };
    const parts = stamp(events.slice(start, start + PER_APPEND), context).map((event) => ({
      aggregate: event.aggregate,
      expected: EMPTY_HEAD,
      events: [event],
    }));
    await log.append(parts);
  }
}

function report(what, figure) {
  console.log(`${what}: ${figure}`);
}
