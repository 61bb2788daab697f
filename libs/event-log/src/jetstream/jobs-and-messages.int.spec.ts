import { afterAll, beforeAll } from '@jest/globals';
import { startTestNats, type TestNats } from '@catena/embedded/testing';
import { FreshLogs } from '../testing/fresh-logs.ts';
import { describeJobQueue } from '../testing/job-queue-contract.ts';
import { describeMessages } from '../testing/messages-contract.ts';
import { openJobQueue } from './jetstream-job-queue.ts';
import { openMessages } from './nats-messages.ts';

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

describeJobQueue('JetStream', async (ackWaitMilliseconds) => {
  await logs.reset();
  return openJobQueue(await logs.link('mover'), { ackWaitMilliseconds });
});

describeMessages('Core NATS', async () => ({
  here: openMessages(await logs.link('mover')),
  there: openMessages(await logs.link('scheduler')),
}));
