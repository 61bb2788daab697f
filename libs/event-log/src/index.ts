export * from './port/event-log.ts';
export * from './port/dead-letters.ts';
export * from './port/snapshot-store.ts';
export * from './port/job-kind.ts';
export * from './port/job-queue.ts';
export * from './port/messages.ts';
export * from './port/errors.ts';
export * from './memory/memory-event-log.ts';
export * from './jetstream/connection-options.ts';
export * from './jetstream/connect-nats.ts';
export type { NatsLink, NatsServerFacts } from './jetstream/nats-link.ts';
export * from './jetstream/set-up-streams.ts';
export {
  StreamMisconfiguredError,
  StreamMissingError,
  type WrongSetting,
} from './jetstream/stream-problems.ts';
export * from './jetstream/jetstream-event-log.ts';
export * from './memory/memory-job-queue.ts';
export { MemoryMessages } from './memory/memory-messages.ts';
export * from './jetstream/jetstream-job-queue.ts';
export * from './jetstream/nats-messages.ts';
export { MemorySnapshotStore } from './memory/memory-snapshot-store.ts';
export * from './jetstream/jetstream-snapshot-store.ts';
export * from './load/load-aggregate.ts';
export * from './load/paged-snapshot.ts';
export type { StoredEvent, StoredHeaders } from './record/stored-event.ts';
export { MAX_EVENTS_PER_APPEND } from './record/prepare-append.ts';
export { verifyLog, type LogProblem, type LogVerification, type WalkOptions } from './transfer/verify-log.ts';
export * from './transfer/export-log.ts';
export * from './transfer/import-log.ts';
export { readExport, type OpenExport } from './transfer/read-export.ts';
export { ExportDamagedError } from './transfer/export-format.ts';
