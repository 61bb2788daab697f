import type { HistoryPlan, HistoryPlanStep } from './plan-database.ts';

/**
 * The T-SQL that carries a plan out: every set without recovery, the stop on the last log, recovery as a step of its own,
 * so that a mistake found in between costs nothing. Empty for a plan without steps.
 */
export function restoreStatements(plan: HistoryPlan): string[] {
  if (plan.steps.length === 0) return [];
  const database = bracketed(plan.database);
  return [
    ...plan.steps.map((step) => statementOf(database, step)),
    `RESTORE DATABASE ${database} WITH RECOVERY;`,
  ];
}

function statementOf(database: string, step: HistoryPlanStep): string {
  const verb = step.type === 'log' ? 'RESTORE LOG' : 'RESTORE DATABASE';
  const from = step.files.length === 0 ? '' : ` FROM ${step.files.map(deviceOf).join(', ')}`;
  const options = [
    ...(step.filePosition === undefined ? [] : [`FILE = ${step.filePosition}`]),
    ...(step.stopAt === undefined ? [] : [stopOf(step.stopAt)]),
    'NORECOVERY',
  ];
  return `${verb} ${database}${from} WITH ${options.join(', ')};`;
}

function deviceOf(file: string): string {
  return `${/^https?:|^s3:/i.test(file) ? 'URL' : 'DISK'} = ${quoted(file)}`;
}

function stopOf(stopAt: string): string {
  return stopAt.startsWith('lsn:') ? `STOPATMARK = ${quoted(stopAt)}` : `STOPAT = ${quoted(stopAt)}`;
}

function quoted(text: string): string {
  return `N'${text.replaceAll("'", "''")}'`;
}

function bracketed(name: string): string {
  return `[${name.replaceAll(']', ']]')}]`;
}
