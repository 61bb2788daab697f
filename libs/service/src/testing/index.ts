export * from './memory-platform.ts';
export * from './eventually.ts';
export * from './service-process.ts';
export * from './ask-until-answered.ts';
