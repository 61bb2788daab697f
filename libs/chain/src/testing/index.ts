export * from './catalog-story.ts';
