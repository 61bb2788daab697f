export * from './port/event-log.ts';
export * from './port/job-queue.ts';
export * from './port/messages.ts';
export * from './port/errors.ts';
