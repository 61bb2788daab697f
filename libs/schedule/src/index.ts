export * from './calendar/cron-not-understood-error.ts';
export { cronProblems, type CronProblem } from './calendar/cron-text.ts';
export { durationOf, durationText } from './calendar/duration.ts';
export { exclusionOf, type Exclusion } from './calendar/exclusion.ts';
export { isInWindow, windowText, type HourWindow } from './calendar/hour-window.ts';
export * from './calendar/recurrence.ts';
export { rhythmPeriod, rhythmProblems } from './calendar/rhythm.ts';
export * from './calendar/time-zone.ts';
export * from './cadence/cadence-times.ts';
export * from './cadence/effective-cadences.ts';
export { LIMITS_NAME, type LimitsSpec } from './definitions/kinds/limits.ts';
export * from './definitions/data-limits-of.ts';
export * from './definitions/sharing-of.ts';
export { API_VERSION, definitionJsonSchema } from './definitions/definition-schema.ts';
export * from './definitions/parse-definitions.ts';
export * from './definitions/problem.ts';
export * from './definitions/read-spec.ts';
export type { KnownDefinition } from './definitions/rules/world.ts';
export type { PathAnchors } from './definitions/text/paths.ts';
export type { EncryptionKey, RepositorySpec, SecretReference } from './definitions/kinds/repository.ts';
export type { Retention } from './definitions/kinds/retention.ts';
export type { CadenceSpec, ScheduleSpec } from './definitions/kinds/schedule.ts';
export type { OverlapPolicy, Policies, RetrySpec } from './definitions/kinds/policies.ts';
export {
  driverSpecOf,
  keepsLog,
  sourcePathOf,
  sourcePlaceOf,
  type SourceSpec,
} from './definitions/kinds/source.ts';
export type { EventSelector, SubscriptionSpec } from './definitions/kinds/subscription.ts';
export * from './definition-history/decide-definition.ts';
export * from './definition-history/definition-state.ts';
export type { TimedEvent } from './folding/timed-event.ts';
export * from './schedule/backfill.ts';
export * from './schedule/collection-knowledge.ts';
export * from './schedule/decide-command.ts';
export * from './schedule/decide-tick.ts';
export * from './schedule/live-schedule.ts';
export * from './schedule/runs-seen.ts';
export * from './schedule/schedule-knowledge.ts';
export * from './schedule/schedule-state.ts';
export * from './schedule/schedule-status.ts';
export * from './preview/preview-schedules.ts';
