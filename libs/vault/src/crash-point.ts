/**
 * Dies here, as hard as a power cut of the process, when `CATENA_CRASH_AT` names this point. `name:3` means the third
 * time it is passed. Fault tests set the variable; nothing else does.
 */
export function crashPoint(name: string): void {
  const wanted = process.env['CATENA_CRASH_AT'];
  if (wanted === undefined) return;
  const [point, nth] = wanted.split(':');
  if (point !== name) return;
  const passed = (passes.get(name) ?? 0) + 1;
  passes.set(name, passed);
  if (passed >= Number(nth ?? '1')) process.kill(process.pid, 'SIGKILL');
}

const passes = new Map<string, number>();
