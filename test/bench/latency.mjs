/**
 * How long people wait for the platform itself.
 *
 *   node test/bench/latency.mjs [--samples 200]
 *
 * due to started: schedules whose first run is due at instants 100 ms apart; from the due instant to the time at which the
 * mover's claim is in the log. completed to visible: from the time at which `run.completed` is in the log to the answer of
 * a query that must show it. A tiny source, so that the backup itself is nothing.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { catalogRequests, schedulerRequests } from '@catena/events';
import { apply, command, percentile, withPlatform } from './platform.mjs';

const { values } = parseArgs({ options: { samples: { type: 'string', default: '200' } } });
const samples = Number(values.samples);

function figures(name, milliseconds) {
  const [p50, p95, p99, most] = [0.5, 0.95, 0.99, 1].map((share) =>
    percentile(milliseconds, share).toFixed(1),
  );
  console.log(
    `${name}: p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms, most ${most} ms (n=${milliseconds.length})`,
  );
}

await withPlatform(async ({ folder, client }) => {
  await mkdir(path.join(folder, 'source'));
  await writeFile(path.join(folder, 'source', 'file'), 'content');
  const base = `apiVersion: catena/v1
kind: Repository
metadata: {name: vault}
spec: {store: fs, fs: {path: ${folder}/vault}}
`;
  const source = (name) => `---
apiVersion: catena/v1
kind: Source
metadata: {name: ${name}}
spec: {driver: files, files: {path: ${folder}/source}}
`;
  await apply(client, `${base}${source('warm')}`);
  for (let index = 0; index < 5; index++) await visible(client, 'warm');

  const due = Date.now() + 5_000;
  let text = '';
  for (let index = 0; index < samples; index++) {
    const first = new Date(due + index * 100).toISOString();
    text += `${source(`s${index}`)}---
apiVersion: catena/v1
kind: Schedule
metadata: {name: s${index}}
spec: {source: s${index}, repository: vault, firstRun: '${first}', full: '@yearly'}
`;
  }
  await apply(client, text.slice(4));
  const nominal = new Map();
  const started = [];
  for await (const batch of client.log.follow({
    from: 1,
    types: ['run.requested', 'run.claimed'],
    signal: AbortSignal.timeout(samples * 100 + 60_000),
  })) {
    for (const event of batch.events) {
      if (event.type === 'run.requested' && event.data.nominal)
        nominal.set(event.aggregate.id, Date.parse(event.data.nominal));
      if (event.type === 'run.claimed' && nominal.has(event.aggregate.id))
        started.push(Date.parse(event.recordedAt) - nominal.get(event.aggregate.id));
    }
    if (started.length >= samples) break;
  }
  figures('due to started', started);

  const seen = [];
  for (let index = 0; index < samples; index++) seen.push(await visible(client, 'warm'));
  figures('completed to visible in a query', seen);
});

/** Takes a backup and asks for it as soon as the log has its completion. Milliseconds from the log's time to the answer. */
async function visible(client, source) {
  const { run } = await client.ask(schedulerRequests.requestBackup, {
    ...command(),
    source,
    repository: 'vault',
    type: 'full',
    copyOnly: true,
  });
  const { event } = await client.followRun(run, { signal: AbortSignal.timeout(60_000) });
  await client.ask(catalogRequests.listBackups, { source, atLeast: event.sequence, limit: 1 });
  return Date.now() - Date.parse(event.recordedAt);
}
