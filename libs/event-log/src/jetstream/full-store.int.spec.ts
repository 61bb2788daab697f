import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startTestNats, type TestNats } from '@catena/embedded/testing';
import { domainEvent, stamp, type AnyNewEvent } from '@catena/events';
import { EMPTY_HEAD } from '../port/event-log.ts';
import { connectAs } from '../testing/fresh-logs.ts';
import { allOf } from '../testing/reading.ts';
import { part, runRef } from '../testing/sample-events.ts';
import { openEventLog } from './jetstream-event-log.ts';
import { ensureStreams } from './set-up-streams.ts';

let folder: string;
let nats: TestNats;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'catena-full-'));
  // A limit of the server stands for the end of its disk.
  const limited = `jetstream { store_dir: ${JSON.stringify(folder)}, sync_interval: always, max_file_store: 2MB }`;
  nats = await startTestNats({ persistentDir: folder, extraConfig: [limited] });
});

afterAll(async () => {
  await nats.close();
  await rm(folder, { recursive: true, force: true });
});

function bulky(run: string): AnyNewEvent[] {
  const reason = 'x'.repeat(50_000);
  return stamp(
    [1, 2].map((attempt) => domainEvent('run.released', run, { attempt, mover: 'mover-1', reason })),
    {
      ...{ time: '2026-03-01T12:00:00.000Z', actor: 'mover:one', correlationId: run, causationId: run },
    },
  );
}

describe('a log whose store is full', () => {
  it('refuses appends by name, loses nothing, and can still be read', async () => {
    const operator = await connectAs(nats, 'operator');
    await ensureStreams(operator);
    const link = await connectAs(nats, 'mover');
    const log = await openEventLog(link);
    let stored = 0;
    const fill = async () => {
      for (let run = 1; run <= 100; run++) {
        await log.append([part(runRef(`run-${run}`), EMPTY_HEAD, bulky(`run-${run}`))]);
        stored += 2;
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'event-log.append-refused', retryable: true });
    expect(stored).toBeGreaterThan(0);
    expect(await allOf(log.read())).toHaveLength(stored);
    await link.close();
    await operator.close();
  });
});
