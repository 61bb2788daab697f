export * from './catena-client.ts';
export * from './follow-run.ts';
