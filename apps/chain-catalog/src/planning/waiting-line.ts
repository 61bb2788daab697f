import type { BackupType } from '@catena/events';
import type { RunState } from '@catena/run';
import type { OpenRun } from '../log-view/log-view.ts';

/** Runs that are not planned yet, by whether another data run of their collection is before them. */
export interface WaitingLine {
  /** At most one of each collection, the one that waited longest; all others that need no turn in a collection. */
  readonly free: readonly OpenRun[];
  readonly behind: readonly { readonly one: OpenRun; readonly by: string }[];
}

/**
 * Who is next in each collection (rule 3.6).
 * @param open in the order of their requests
 */
export function waitingLine(open: readonly OpenRun[]): WaitingLine {
  const takers = new Map<string, string>();
  for (const { state } of open) {
    const place = placeTakenBy(state);
    if (place !== undefined) takers.set(place, state.run);
  }
  const free: OpenRun[] = [];
  const behind: { one: OpenRun; by: string }[] = [];
  for (const one of open) {
    if (one.state.phase !== 'requested') continue;
    const place = placeOf(one.state);
    const by = place === undefined ? undefined : takers.get(place);
    if (by !== undefined) {
      behind.push({ one, by });
      continue;
    }
    free.push(one);
    if (place !== undefined) takers.set(place, one.state.run);
  }
  return { free, behind };
}

/**
 * What a requested run may have to wait for: source and repository, logs apart from data. Copy-only runs and other kinds
 * wait for nobody.
 */
export function placeOf({ request }: RunState): string | undefined {
  if (request?.kind === 'compose') return placeName(request.source, request.repository, 'full');
  if (request?.kind !== 'backup') return undefined;
  const { source, repository, type, copyOnly } = request;
  const isApart = copyOnly && (type === 'full' || type === 'log');
  return isApart ? undefined : placeName(source, repository, type);
}

function placeName(source: string, repository: string, type: BackupType): string {
  return `${source}/${repository}/${type === 'log' ? 'log' : 'data'}`;
}

/** Runs that wait there are not looked at until this one is over; what the decision loads has the last word. */
function placeTakenBy({ plan }: RunState): string | undefined {
  if (plan?.kind === 'compose') return placeName(plan.source.name, plan.repository.name, 'full');
  const takes = plan?.kind === 'backup' && !plan.copyOnly;
  return takes ? placeName(plan.source.name, plan.repository.name, plan.type) : undefined;
}
