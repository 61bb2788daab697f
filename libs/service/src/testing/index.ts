export * from './memory-platform.ts';
export * from './eventually.ts';
