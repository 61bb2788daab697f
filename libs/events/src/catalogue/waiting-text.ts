import type { RunWait } from './run-events.ts';

/** Why a run waits, in a sentence for people. */
export function waitingText({ reason, of, limit = 0, by }: RunWait): string {
  const runs = by.length === 0 ? '' : ` (${by.slice(0, 3).join(', ')}${by.length > 3 ? ', …' : ''})`;
  const most = `waits: ${limit === 1 ? 'one run' : `${limit} runs`} at once`;
  switch (reason) {
    case 'previousRun':
      return `waits for the run before it${runs}`;
    case 'platform':
      return `${most} on the platform${runs}`;
    case 'pool':
      return `${most} in the mover pool ${of}${runs}`;
    case 'source':
      return `${most} for the source ${of}${runs}`;
    case 'repository':
      return `${most} at the repository ${of}${runs}`;
  }
}
