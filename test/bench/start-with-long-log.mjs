/**
 * What a start of the chain catalog costs when the log is long: until it answers, and until it has read what it must.
 *
 *   node test/bench/start-with-long-log.mjs [--events 300000] [--starts 3]
 *
 * A plausible history is written to the log of a nats-server of its own with the durability of a real home; the chain
 * catalog is the compiled program in a process of its own, with a PostgreSQL of its own. The first start reads the log
 * whole and fills the read models; of the starts after it each ends when the catalog refuses a question that takes all
 * of the log to be refused (a family of a source that there is not), and is given ten seconds to come to rest.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startTestNats, startTestPostgres } from '@catena/embedded/testing';
import { connectNats, ensureStreams, openEventLog, openMessages } from '@catena/event-log';
import { catalogRequests, freshId, requestSubject } from '@catena/events';
import { plausibleHistory } from '@catena/read-store/testing';
import { encodeEvent } from '../../libs/event-log/dist/record/encode-event.js';
import { ownFolder, ownProgram } from './own-folder.mjs';

const { values } = parseArgs({
  options: { events: { type: 'string', default: '300000' }, starts: { type: 'string', default: '3' } },
});
const count = Number(values.events);
const program = path.join(import.meta.dirname, '../../apps/chain-catalog/dist/main.js');

const own = await ownFolder(tmpdir(), 'catena-bench-');
const [server, database] = await Promise.all([startTestNats(), startTestPostgres({ durable: true })]);
const { user, password } = server.admin;
const link = await connectNats({ url: server.url, user, password, name: 'bench' });
await ensureStreams(link);
const log = await openEventLog(link);
const messages = openMessages(link);
let catalog;
try {
  await writeHistory();
  await measured('first start, the log read whole');
  for (let start = 1; start <= Number(values.starts); start += 1) await measured(`start ${start} after it`);
} finally {
  await close();
}

async function writeHistory() {
  const began = performance.now();
  const hashes = new Map();
  let batch = [];
  for (const event of plausibleHistory(1, count)) {
    const aggregate = `${event.aggregate.type}/${event.aggregate.id}`;
    const { subject, headers, data, hash } = encodeEvent(event, hashes.get(aggregate) ?? '');
    hashes.set(aggregate, hash);
    batch.push({ sequence: event.sequence, subject, headers, data, storedAt: event.recordedAt });
    if (batch.length < 1_000) continue;
    await log.restoreStored(batch);
    batch = [];
  }
  await log.restoreStored(batch);
  report(`${await log.lastSequence()} events written`, `${seconds(began)} s`);
}

async function measured(what) {
  const began = performance.now();
  catalog = startCatalog();
  await until(async () => (await ask(catalogRequests.acceptFamily, unknownFamily()))?.ok === false);
  const answered = `answers after ${seconds(began)} s and ${await processorSeconds()} s of a core`;
  await until(async () => {
    const status = await ask(catalogRequests.catalogStatus, {});
    return status?.ok === true && status.result.sequence >= count;
  }, 1_000);
  const projected = `read models at the end after ${seconds(began)} s`;
  await pause(10_000);
  const rest = `${await processorSeconds()} s of a core and ${await megabytes()} MB when it has come to rest`;
  report(what, [answered, projected, rest].join('; '));
  await ended();
}

function unknownFamily() {
  const command = { commandId: freshId(), actor: 'person:bench' };
  return { ...command, source: 'there-is-none', repository: 'there-is-none', family: 'none' };
}

/** The reply, unless nobody answers yet or the one who does is behind. */
async function ask(contract, question) {
  const reply = await messages
    .ask(requestSubject(contract), question, { timeoutMilliseconds: 30_000 })
    .catch(() => undefined);
  return reply?.ok === false && reply.error.retryable ? undefined : reply;
}

async function until(isSo, milliseconds = 20) {
  while (!(await isSo())) await pause(milliseconds);
}

function startCatalog() {
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    CATENA_NATS_URL: server.url,
    CATENA_NATS_USER: server.users['chain-catalog'].user,
    CATENA_NATS_PASSWORD: server.users['chain-catalog'].password,
    CATENA_DATABASE_URL: database.url,
    CATENA_INSTANCE: 'bench',
    CATENA_LOG_LEVEL: 'error',
  };
  return ownProgram(own, 'chain-catalog', [program], { env, stdio: ['ignore', 'inherit', 'inherit'] });
}

async function ended() {
  if (catalog === undefined || catalog.exitCode !== null) return;
  catalog.kill('SIGTERM');
  await once(catalog, 'exit');
}

async function close() {
  await ended();
  await messages.close();
  await log.close();
  await link.close();
  await Promise.all([server.close(), database.close()]);
  await own.remove();
}

async function processorSeconds() {
  const stat = (await readFile(`/proc/${catalog.pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return ((Number(stat[11]) + Number(stat[12])) / 100).toFixed(1);
}

async function megabytes() {
  const status = await readFile(`/proc/${catalog.pid}/status`, 'utf8');
  const mega = (name) => (Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024).toFixed(0);
  return `${mega('VmRSS')} MB, at most ${mega('VmHWM')}`;
}

function seconds(began) {
  return ((performance.now() - began) / 1000).toFixed(1);
}

function report(what, figure) {
  console.log(`${what}: ${figure}`);
}
