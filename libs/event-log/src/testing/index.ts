export { describeEventLog, type OpenLog } from './event-log-contract.ts';
export { describeJobQueue, type OpenQueue } from './job-queue-contract.ts';
export { describeMessages, type OpenMessages } from './messages-contract.ts';
export { describeSnapshotStore } from './snapshot-store-contract.ts';
export { allOf, collect, range, type Collected } from './reading.ts';
export { claimsOf, part, pauseOf, runRef, scheduleRef } from './sample-events.ts';
