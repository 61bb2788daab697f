import { afterAll, beforeAll } from '@jest/globals';
import { startTestNats, type TestNats } from '@catena/embedded/testing';
import { describeEventLog } from '../testing/event-log-contract.ts';
import { FreshLogs } from '../testing/fresh-logs.ts';

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

describeEventLog('JetStream', () => logs.open());
