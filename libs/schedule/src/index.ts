export * from './calendar/recurrence.ts';
