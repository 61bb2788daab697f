import type { RunPriority } from '@catena/events';
import { admitRuns, type Place, type WaitingRun } from '@catena/run';
import type { OpenRun } from '../log-view/log-view.ts';
import type { LimitsInForce } from './limits-in-force.ts';
import type { Held } from './wait-notes.ts';
import { waitingLine, type WaitingLine } from './waiting-line.ts';

export interface OpenAdmissions {
  /** In the order in which they are to be planned. */
  readonly admitted: readonly { readonly run: string; readonly places: readonly Place[] }[];
  readonly held: readonly Held[];
}

/**
 * Who of the runs that wait may begin, and why the others may not.
 * @param open in the order of their requests
 * @param now milliseconds since 1970
 */
export function admitOpenRuns(open: readonly OpenRun[], limits: LimitsInForce, now: number): OpenAdmissions {
  const { free, behind } = waitingLine(open);
  const before = countBefore(open);
  const byRun = new Map(free.map((one) => [one.state.run, { one, places: limits.placesOf(one.state) }]));
  const waiting = [...byRun.values()].map(({ one, places }): WaitingRun => ({
    run: one.state.run,
    places,
    requestedAt: one.requestedAt,
    sequence: one.requested,
    priority: priorityOf(one),
    urgent: one.state.request?.kind === 'restore',
    before: before.get(one.state.run) ?? 0,
    said: one.state.waiting,
  }));
  const atWork = open.flatMap(({ state }) =>
    state.plan === undefined ? [] : [{ run: state.run, places: limits.placesOf(state) }],
  );
  const { admitted, held } = admitRuns(waiting, atWork, now);
  return {
    admitted: admitted.map((run) => ({ run, places: byRun.get(run)?.places ?? [] })),
    held: [
      ...held.flatMap(({ run, wait }) => {
        const found = byRun.get(run);
        return found === undefined ? [] : [{ one: found.one, wait }];
      }),
      ...behindOthers(behind),
    ],
  };
}

/** Those that another run of their collection is before. */
export function behindOthers(behind: WaitingLine['behind']): Held[] {
  return behind.map(({ one, by }) => ({ one, wait: { reason: 'previousRun', by: [by] } }));
}

/** Per run how many open ones of its schedule were asked for before it. */
function countBefore(open: readonly OpenRun[]): Map<string, number> {
  const ofSchedule = new Map<string, number>();
  const before = new Map<string, number>();
  for (const { state } of open) {
    if (state.scheduleUid === undefined) continue;
    const count = ofSchedule.get(state.scheduleUid) ?? 0;
    before.set(state.run, count);
    ofSchedule.set(state.scheduleUid, count + 1);
  }
  return before;
}

/** What a person asked for by hand goes before what a schedule did, and housekeeping after it. */
function priorityOf({ state: { priority, schedule, request } }: OpenRun): RunPriority {
  if (priority !== undefined) return priority;
  if (request?.kind === 'prune' || request?.kind === 'sweep') return 'low';
  return schedule === undefined ? 'high' : 'normal';
}
