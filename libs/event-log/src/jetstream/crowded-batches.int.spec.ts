import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { headers } from '@nats-io/nats-core';
import { startTestNats, type TestNats } from '@catena/embedded/testing';
import { EMPTY_HEAD } from '../port/event-log.ts';
import { FreshLogs } from '../testing/fresh-logs.ts';
import { claimsOf, part, runRef } from '../testing/sample-events.ts';

let nats: TestNats;
let logs: FreshLogs;

beforeAll(async () => {
  nats = await startTestNats();
  logs = new FreshLogs(nats);
});

afterAll(async () => {
  await logs.close();
  await nats.close();
});

/** The server's limit of batches in flight on one stream. */
const IN_FLIGHT = 50;

describe('a log on which appenders died in the middle of their batches', () => {
  it('takes appends again when the server has given those batches up', async () => {
    const log = await logs.open({ patienceMilliseconds: 60_000 });
    const { nats: dying } = await logs.link('mover');
    for (let batch = 1; batch <= IN_FLIGHT; batch++) {
      const begun = headers();
      begun.set('Nats-Batch-Id', `begun-${batch}`);
      begun.set('Nats-Batch-Sequence', '1');
      await dying.request('catena.events.run.run-z.claimed', '{}', { headers: begun, timeout: 5_000 });
    }
    const appended = await log.append([part(runRef('run-a'), EMPTY_HEAD, claimsOf('run-a', 3))]);
    expect(appended).toMatchObject({ sequence: 3, repeated: false });
    expect(await log.head(runRef('run-z'))).toEqual(EMPTY_HEAD);
  });
});
