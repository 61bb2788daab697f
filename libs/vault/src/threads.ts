/** What code on worker threads of other libraries needs of the vault. Every such thread loads it: imports little. */
export type { ContentPlan } from './read/planned/content-plan.ts';
export {
  PlanReader,
  UnreadableUnitError,
  type PlannedPiece,
  type PlanPass,
} from './read/planned/plan-reader.ts';
export { serveTasks } from './workers/serve-tasks.ts';
export type { TaskContext } from './workers/task.ts';
