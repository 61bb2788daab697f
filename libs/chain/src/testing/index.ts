export * from './catalog-story.ts';
export * from './backup-views.ts';
export * from './history-rows.ts';
export * from './retention-points.ts';
export * from './restorables.ts';
