export * from './services.ts';
export * from './start-everything.ts';
