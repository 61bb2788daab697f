import { describeJobQueue } from '../testing/job-queue-contract.ts';
import { MemoryJobQueue } from './memory-job-queue.ts';

describeJobQueue(
  'MemoryJobQueue',
  async (ackWaitMilliseconds) => new MemoryJobQueue({ ackWaitMilliseconds }),
);
