export * from './brute-force.ts';
export * from './definition-texts.ts';
export * from './schedule-history.ts';
export * from './zdump.ts';
