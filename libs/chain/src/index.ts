export * from './position.ts';
export * from './collection/collection-state.ts';
export * from './collection/collection-snapshot.ts';
export * from './collection/usable.ts';
export * from './collection/plan-backup.ts';
export * from './collection/plan-compose.ts';
export { COPY_ONLY_IGNORED } from './collection/backup-shape.ts';
export * from './collection/settle-plan.ts';
export * from './collection/adopt-found.ts';
export * from './repository-state.ts';
export * from './run/decide-plan.ts';
export * from './run/decide-report.ts';
export * from './run/report-decision.ts';
export * from './run/find-backup.ts';
export * from './views/chains.ts';
export * from './views/restore-points.ts';
export * from './views/choose-backup.ts';
export * from './restore-plan/log-walk.ts';
export * from './restore-plan/fork-path.ts';
export * from './msdb-history/answer.ts';
export {
  type HistoryPlan,
  type HistoryPlanOptions,
  type HistoryPlanStep,
} from './msdb-history/plan-database.ts';
export { type ChainCheck, type ChainProblem } from './msdb-history/check-chain.ts';
export type {
  CalendarRules,
  GfsRules,
  KeepRules,
  RetentionPolicy,
  RetentionRules,
} from './retention/policy.ts';
export { readRetentionPolicy } from './retention/read-policy.ts';
export { durationBefore, readDuration, type CalendarDuration } from './retention/duration.ts';
export { ZoneCalendar } from './retention/zone-calendar.ts';
export type { RetentionPoint } from './retention/point.ts';
export {
  evaluateRetention,
  type GonePoint,
  type KeptPoint,
  type RetentionClock,
  type RetentionVerdict,
} from './retention/evaluate-retention.ts';
export * from './retention/simulate-retention.ts';
export * from './restore-plan/restorable.ts';
export * from './restore-plan/plan-restore.ts';
export * from './restore-plan/restore-plan.ts';
export * from './restore-plan/plan-layers.ts';
export * from './restore-plan/target-of-stop.ts';
export * from './retention/decide-expiry.ts';
export * from './retention/clocks-agree.ts';
export * from './retention/retention-days.ts';
export * from './views/explain-backup.ts';
export { restoreStatements } from './msdb-history/restore-statements.ts';
export * from './run/may-delete.ts';
export * from './run/prune-run.ts';
export * from './run/sweep-run.ts';
export * from './retention/collection-rules.ts';
