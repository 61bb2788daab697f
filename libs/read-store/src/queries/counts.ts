import type { Moment } from './moment.ts';

/** What there is, for a status page. */
export async function countRows({ runner }: Moment): Promise<Record<string, number>> {
  const [counts] = (await runner.query(COUNTS)) as Record<string, string>[];
  return Object.fromEntries(Object.entries(counts ?? {}).map(([name, count]) => [name, Number(count)]));
}

const COUNTS = `select
  (select count(*) from definition where valid_to is null and not deleted) as "definitions",
  (select count(*) from schedule where valid_to is null) as "schedules",
  (select count(*) from schedule where valid_to is null and paused) as "schedulesPaused",
  (select count(*) from run where valid_to is null) as "runs",
  (select count(*) from run where valid_to is null and finished_at is null) as "runsActive",
  (select count(*) from run where valid_to is null and state = 'failed') as "runsFailed",
  (select count(*) from backup where valid_to is null) as "backups",
  (select count(*) from backup where valid_to is null and state = 'usable') as "backupsUsable",
  (select count(*) from chain where valid_to is null) as "chains",
  (select count(*) from repository_key where valid_to is null and exported_at is null) as "keysToStore"`;
