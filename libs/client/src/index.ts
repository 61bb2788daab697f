export * from './catena-client.ts';
export * from './follow-run.ts';
export * from './connect-catena.ts';
export * from './question-not-understood-error.ts';
