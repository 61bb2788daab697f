/**
 * How memory and time of the scheduler grow with the number of schedules: its book and its queue in one process, without
 * a server, so that a million fits a coffee break.
 *
 *   node --expose-gc test/bench/schedule-growth.mjs [--schedules 10000,100000,1000000] [--rounds 3]
 *
 * Each size: definitions taken in as they come from the log, the next due time of each, and 10 000 of them fired. Seconds
 * of processor time. The last column divides by n log n: as long as it does not grow, neither does anything worse than that.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { definitionId } from '@catena/events';
import { decideTick, nextDueInstant } from '@catena/schedule';
import { ScheduleBook } from '../../apps/scheduler/dist/schedule-book/schedule-book.js';
import { DueQueue } from '../../apps/scheduler/dist/tick/due-queue.js';

const { values } = parseArgs({ options: { schedules: { type: 'string', default: '10000,100000,1000000' } } });
const TIME = '2026-01-01T00:00:00.000Z';
const BATCH = 500;
const SOURCES = 1_000;

console.log('schedules  taken in s  queued s  heap MB  ns of n log n');
for (const count of values.schedules.split(',').map(Number)) {
  const before = heap();
  const start = seconds();
  const book = await bookOf(count);
  const taken = seconds();
  const queue = new DueQueue();
  for (const name of book.takeChanged()) {
    const { state, live, knowledge } = book.schedule(name);
    queue.set(name, Date.parse(nextDueInstant(state, live, knowledge)));
  }
  const queued = seconds();
  const due = queue.takeDue(Date.parse('2027-02-01T00:00:00.000Z'), 10_000);
  for (const name of due) {
    const { state, live, knowledge } = book.schedule(name);
    if (decideTick(state, live, knowledge, '2027-02-01T00:00:00.000Z').length === 0)
      throw new Error(`${name} was not due`);
  }
  const perStep = ((queued - start) / (count * Math.log2(count))) * 1e9;
  const figures = [taken - start, queued - taken].map((one) => one.toFixed(2).padStart(9));
  console.log(
    String(count).padStart(9),
    ...figures,
    String(heap() - before).padStart(8),
    perStep.toFixed(0).padStart(14),
  );
}

async function bookOf(count) {
  const done = Promise.withResolvers();
  const log = {
    lastSequence: () => Promise.resolve(0),
    async *follow() {
      let sequence = 0;
      const batchOf = (definitions) => {
        const events = definitions.map(([kind, name, spec]) => applied((sequence += 1), kind, name, spec));
        return { events, through: sequence };
      };
      yield batchOf([['Repository', 'vault', { store: 'fs', fs: { path: '/v' } }]]);
      yield batchOf(
        Array.from({ length: SOURCES }, (_, index) => [
          'Source',
          `s${index}`,
          { driver: 'files', files: { path: `/${index}` } },
        ]),
      );
      for (let from = 0; from < count; from += BATCH)
        yield batchOf(
          Array.from({ length: Math.min(BATCH, count - from) }, (_, index) => [
            'Schedule',
            `n${from + index}`,
            specOf(from + index),
          ]),
        );
      done.resolve();
    },
  };
  const snapshots = { store: { load: () => Promise.resolve(undefined) }, onFailure: console.error };
  const work = { start: (_name, run) => void run(new AbortController().signal, () => undefined) };
  const readiness = { startsWith: () => undefined };
  const book = new ScheduleBook(log, snapshots, work, readiness, console);
  book.onApplicationBootstrap();
  await done.promise;
  await pause(1);
  return book;
}

/** Nearly all of different texts, over the year. */
function specOf(index) {
  const cron = `${index % 60} ${Math.floor(index / 60) % 24} ${1 + (Math.floor(index / 1440) % 28)} ${1 + (Math.floor(index / 40_320) % 12)} *`;
  return { source: `s${index % SOURCES}`, repository: 'vault', full: cron, firstRun: 'scheduled' };
}

function applied(sequence, kind, name, spec) {
  const id = definitionId(kind, name);
  const data = { kind, name, uid: `${kind.toLowerCase()}-${name}`, generation: 1, labels: {}, spec };
  return {
    ...{
      id: `e${sequence}`,
      type: 'definition.applied',
      version: 1,
      aggregate: { type: 'definition', id },
      time: TIME,
    },
    ...{
      actor: 'person:bench',
      correlationId: 'c',
      causationId: 'c',
      data: JSON.parse(JSON.stringify(data)),
    },
    ...{
      sequence,
      recordedAt: TIME,
      previousHash: '',
      hash: Buffer.alloc(32, sequence).toString('base64url'),
    },
  };
}

function seconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function heap() {
  globalThis.gc?.();
  return Math.round(process.memoryUsage().heapUsed / 1e6);
}
