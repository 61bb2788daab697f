/** A platform of its own for a benchmark: real servers and services in a folder that is removed afterwards. */
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEverything } from '@catena/cli/platform';
import { connectCatena } from '@catena/client';
import { freshId, schedulerRequests } from '@catena/events';
import { ownFolder } from './own-folder.mjs';

export function command() {
  return { commandId: freshId(), actor: 'person:benchmark' };
}

/** Runs the work on a fresh platform; everything is stopped and removed at the end, whatever the end is. */
export async function withPlatform(work, parent = tmpdir()) {
  const { folder, remove } = await ownFolder(parent, 'catena-bench-', 'home/run');
  try {
    const home = path.join(folder, 'home');
    const platform = await startEverything({ home, onEvent: () => undefined });
    try {
      const { nats } = platform.endpoints;
      const client = await connectCatena({ url: nats.url, ...nats.users.client, name: 'catena:benchmark' });
      try {
        return await work({ folder, home, client, platform });
      } finally {
        await client.close();
      }
    } finally {
      await platform.stop();
    }
  } finally {
    await remove();
  }
}

/** Applies definitions given as text. */
export async function apply(client, text) {
  return client.ask(schedulerRequests.applyDefinitions, {
    ...command(),
    files: [{ name: 'benchmark.yaml', text }],
  });
}

/** The value below which the share of the sorted values lies. */
export function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
}

export function median(values) {
  return percentile(values, 0.5);
}
