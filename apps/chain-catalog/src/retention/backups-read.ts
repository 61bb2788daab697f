import type { RunPlan } from '@catena/events';

/** The backups that a run reads while it is under way: none of them may go before it is over. */
export function backupsRead(plan: RunPlan | undefined): readonly string[] {
  if (plan?.kind === 'restore') return [plan.backup, ...(plan.logs ?? [])];
  return plan?.kind === 'verify' ? plan.backups : [];
}
