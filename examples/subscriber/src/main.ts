// Reacts to finished backups. Stop it, kill it, restart the platform: it goes on where it was, because its position is
// kept in the log's server under its name. It may see an event twice (at least once), so it remembers what it did.
import { readEndpoints, resolveHome } from '@catena/embedded';
import { connectCatena } from '@catena/client';
import type { AnyRecordedEvent } from '@catena/events';

const name = process.argv[2] ?? 'example-subscriber';
const { nats } = readEndpoints(resolveHome());
const client = await connectCatena({
  url: nats.url,
  ...(nats.users.client ?? {}),
  name: `subscriber:${name}`,
});

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());

function describe(event: AnyRecordedEvent): string {
  switch (event.type) {
    case 'run.completed':
      return `${event.correlationId} ${event.data.outcome}: ${event.data.statistics.files} files, ${event.data.warningCount} warnings`;
    case 'run.failed':
      return `${event.correlationId} FAILED: ${event.data.failure.message}`;
    default:
      return `${event.correlationId} ${event.type}`;
  }
}

process.stdout.write(`listening as "${name}"\n`);
await client.subscribe(
  { name, types: ['run.completed', 'run.failed'], from: 1, signal: stopping.signal },
  (event) => {
    // A handler that throws gets the event again, later and later, until it becomes a dead letter.
    process.stdout.write(`${event.sequence} ${describe(event)}\n`);
    return Promise.resolve();
  },
);
await client.close();
