export { holdLifeline } from './lifeline.ts';
export { startTestNats, type TestNats, type TestNatsOptions } from './test-nats.ts';
export { startTestPostgres, type TestPostgres, type TestPostgresOptions } from './test-postgres.ts';
