import { existsSync, writeFileSync } from 'node:fs';

const passes = new Map<string, number>();

/**
 * Dies here, as hard as a power cut of the process, when `CATENA_CRASH_AT` names this point. `name:3` means the third
 * time it is passed. `CATENA_CRASH_ONCE` names a marker file, made first: while it is there, nothing dies again.
 * `CATENA_CRASH_SIGNAL` is sent instead of SIGKILL, such as SIGSTOP. Fault tests set the variables; nothing else does.
 */
export function crashPoint(name: string): void {
  const wanted = process.env['CATENA_CRASH_AT'];
  if (wanted === undefined) return;
  const [point, nth] = wanted.split(':');
  if (point !== name) return;
  const passed = (passes.get(name) ?? 0) + 1;
  passes.set(name, passed);
  if (passed < Number(nth ?? '1')) return;
  const marker = process.env['CATENA_CRASH_ONCE'];
  if (marker !== undefined) {
    if (existsSync(marker)) return;
    writeFileSync(marker, `${name} ${process.pid}\n`);
  }
  process.kill(process.pid, process.env['CATENA_CRASH_SIGNAL'] ?? 'SIGKILL');
}
