/**
 * How fast the read models are built again from the log, and in how much memory.
 *
 *   node test/bench/projection-rebuild.mjs [--events 1000000] [--url postgres://…]
 *
 * Writes a plausible history to a file first (one event a line), so that what is measured is reading the log from disk,
 * projecting it and filling PostgreSQL, all of it. PostgreSQL is a throw-away server of its own with the settings of a
 * real home, unless --url names another. The read models are built twice: the second time beside a full live copy.
 */
import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ownFolder } from './own-folder.mjs';

/** Without a limit the collector lets a heap grow as long as the machine has memory; what is live is about 50 MB. */
const SMALL_HEAP = ['--max-old-space-size=192', '--max-semi-space-size=16'];

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    url: { type: 'string' },
    // Given to the process that is measured.
    history: { type: 'string' },
  },
});
const count = Number(values.events);
if (values.history === undefined) await prepareAndMeasure();
else await measure(values.history, values.url);

async function prepareAndMeasure() {
  const { startTestPostgres } = await import('@catena/embedded/testing');
  const { folder, remove } = await ownFolder(tmpdir(), 'catena-bench-');
  const server = values.url === undefined ? await startTestPostgres({ durable: true }) : undefined;
  try {
    const history = path.join(folder, 'history.ndjson');
    await writeHistory(history);
    // A process of its own, so that its memory is that of the rebuild alone.
    const child = spawn(
      process.execPath,
      [
        ...process.execArgv,
        ...SMALL_HEAP,
        import.meta.filename,
        '--events',
        values.events,
        '--history',
        history,
        '--url',
        values.url ?? server.url,
      ],
      { stdio: 'inherit' },
    );
    const [code] = await once(child, 'exit');
    process.exitCode = code;
  } finally {
    await server?.close();
    await remove();
  }
}

async function writeHistory(file) {
  const { plausibleHistory } = await import('@catena/read-store/testing');
  const out = createWriteStream(file);
  let chunk = '';
  for (const event of plausibleHistory(1, count)) {
    chunk += `${JSON.stringify(event)}\n`;
    if (chunk.length > 1_000_000) {
      if (!out.write(chunk)) await once(out, 'drain');
      chunk = '';
    }
  }
  out.end(chunk);
  await once(out, 'finish');
  console.log(`history: ${count} events, ${(out.bytesWritten / 1e6).toFixed(0)} MB`);
}

async function measure(file, url) {
  const { ReadStore } = await import('@catena/read-store');
  const log = fileLog(file);
  const began = performance.now();
  for await (const { through } of log.follow({
    from: 1,
    batchSize: 2_000,
    signal: new AbortController().signal,
  })) {
    if (through === count) break;
  }
  report('reading the log alone', performance.now() - began);
  const store = await ReadStore.open({ url });
  try {
    report('rebuild beside an empty copy', (await store.rebuild(log)).milliseconds);
    const first = await store.digest();
    report('rebuild beside a full copy', (await store.rebuild(log)).milliseconds);
    const second = await store.digest();
    if (first.digest !== second.digest) throw new Error('The two copies differ.');
    console.log(`rows: ${Object.values(second.tables).reduce((sum, { rows }) => sum + rows, 0)}`);
  } finally {
    await store.close();
  }
  const status = await readFile('/proc/self/status', 'utf8');
  console.log(`heap: ${process.execArgv.join(' ')}`);
  console.log(`peak memory: ${(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024).toFixed(0)} MB`);
}

function report(what, milliseconds) {
  const rate = Math.round(count / (milliseconds / 1000));
  console.log(`${what}: ${(milliseconds / 1000).toFixed(1)} s, ${rate} events/s`);
}

/** Stands in for the log: what a rebuild asks of it, from a file of one event a line. */
function fileLog(file) {
  return {
    lastSequence: async () => count,
    async *follow({ from, batchSize = 500 }) {
      if (from > count) return;
      let events = [];
      let rest = '';
      for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: 1 << 18 })) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop();
        for (const line of lines) {
          const event = JSON.parse(line);
          if (event.sequence < from) continue;
          events.push(event);
          if (events.length < batchSize) continue;
          yield { events, through: event.sequence };
          events = [];
        }
      }
      if (events.length > 0) yield { events, through: events.at(-1).sequence };
    },
    async *read() {
      // Nothing is appended meanwhile, so there is nothing to catch up with.
    },
  };
}
