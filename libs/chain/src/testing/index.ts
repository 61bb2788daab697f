export * from './catalog-story.ts';
export * from './backup-views.ts';
