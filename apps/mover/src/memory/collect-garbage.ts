import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The engine's own function, which it gives to contexts that are made while the flag is set. */
function engineFunction(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return collect;
}

let collect: (() => void) | undefined;

/** Collects all garbage of the caller's thread at once; takes some tens of milliseconds. */
export function collectGarbage(): void {
  collect ??= engineFunction();
  collect();
}
