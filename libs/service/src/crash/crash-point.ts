import { existsSync, writeFileSync } from 'node:fs';

/** The places where a fault test may kill a process, each between two steps that must not depend on each other. */
export const crashPoints = [
  'scheduler.before-fire',
  'scheduler.after-fire',
  'scheduler.before-apply',
  'scheduler.after-apply',
  'catalog.before-plan',
  'catalog.after-plan',
  'catalog.after-job',
  'catalog.before-outcome',
  'catalog.after-outcome',
  'catalog.before-retention',
  'catalog.after-retention',
  'catalog.before-delivery',
  'catalog.after-delivery',
  'mover.after-claim',
  'mover.during-backup',
  'mover.during-compose',
  'mover.before-manifest',
  'mover.after-manifest',
  'mover.during-restore',
  'mover.before-report',
  'mover.after-report',
  'mover.before-release',
] as const;
export type CrashPoint = (typeof crashPoints)[number];

const passes = new Map<string, number>();

/**
 * Ends this process as `kill -9` would when CATENA_CRASH_AT names the point; `name:3` means the third time it is passed.
 * CATENA_CRASH_ONCE names a marker file:
 * made before the process dies, and while it is there nothing dies again, so that a restarted process gets past.
 * CATENA_CRASH_SIGNAL is sent instead of SIGKILL: with SIGSTOP the process stands still here until it is told to go on.
 */
export function crashPoint(point: CrashPoint): void {
  const [wanted, nth = '1'] = (process.env['CATENA_CRASH_AT'] ?? '').split(':');
  if (wanted !== point) return;
  const passed = (passes.get(point) ?? 0) + 1;
  passes.set(point, passed);
  if (passed < Number(nth)) return;
  const marker = process.env['CATENA_CRASH_ONCE'];
  if (marker !== undefined && marker !== '') {
    if (existsSync(marker)) return;
    writeFileSync(marker, `${point} ${process.pid}\n`);
  }
  process.kill(process.pid, process.env['CATENA_CRASH_SIGNAL'] ?? 'SIGKILL');
}
