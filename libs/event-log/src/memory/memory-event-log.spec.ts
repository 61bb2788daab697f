import { describeEventLog } from '../testing/event-log-contract.ts';
import { MemoryEventLog } from './memory-event-log.ts';

describeEventLog('MemoryEventLog', async () => new MemoryEventLog());
