import type { Cadence, RunLimits, RunWait } from '@catena/events';
import { ownText } from '../folding/own-text.ts';
import type { TimedEvent } from '../folding/timed-event.ts';

/** A run that was asked for and is not over. */
export interface OpenRun {
  readonly run: string;
  readonly schedule?: string | undefined;
  readonly scheduleUid?: string | undefined;
  readonly cadence?: Cadence | undefined;
  /** Of a backup: where it writes, logs apart from data, and whether it is a regular one. */
  readonly place?: string;
  readonly conventional: boolean;
  readonly requestedAt: string;
  /** Of the first attempt. */
  readonly startedAt?: string;
  readonly limits?: RunLimits | undefined;
  readonly cancelRequested: boolean;
  /** Why it is not planned yet. */
  readonly waiting?: RunWait | undefined;
}

/** How the newest runs of a schedule ended. */
export interface Outcomes {
  readonly last?: { readonly run: string; readonly outcome: RunOutcome; readonly at: string };
  /** Failed runs in a row since the last good one, or since the schedule was resumed. */
  readonly failures: number;
}

export type RunOutcome = 'completed' | 'completedWithWarnings' | 'failed' | 'refused' | 'cancelled';

/** What is known of runs as plain JSON. */
export interface CapturedRuns {
  /** Oldest first. */
  readonly open: readonly OpenRun[];
  /** By schedule uid. */
  readonly outcomes: readonly (readonly [uid: string, outcomes: Outcomes])[];
}

const NO_OUTCOMES: Outcomes = { failures: 0 };

/** The scheduler's view of runs, folded from the log: those that are open, and how the last one of each schedule ended. */
export class RunsSeen {
  readonly #open = new Map<string, OpenRun>();
  readonly #conventionalAt = new Map<string, Set<string>>();
  readonly #ofSchedule = new Map<string, Set<string>>();
  readonly #outcomes = new Map<string, Outcomes>();

  /** All of it as it is now; what is read later does not change it. */
  capture(): CapturedRuns {
    return { open: [...this.#open.values()], outcomes: [...this.#outcomes] };
  }

  /** Takes in what was captured, or a part of it; parts in order. */
  restore({ open, outcomes }: CapturedRuns): void {
    for (const run of open) this.#keep(run);
    for (const [uid, outcome] of outcomes) this.#outcomes.set(uid, outcome);
  }

  /** Takes in one event; answers the run that it was about, as it stood before if it is over now. */
  observe(event: TimedEvent): OpenRun | undefined {
    const run = event.aggregate.id;
    switch (event.type) {
      case 'run.requested':
        return this.#add(event);
      case 'run.waiting':
        return this.#change(run, () => ({ waiting: event.data }));
      case 'run.planned':
        return this.#change(run, () => ({ waiting: undefined }));
      case 'run.claimed':
        return this.#change(run, ({ startedAt }) => ({ startedAt: startedAt ?? ownText(event.time) }));
      case 'run.cancel-requested':
        return this.#change(run, () => ({ cancelRequested: true }));
      case 'run.completed':
        return this.#close(run, event.data.outcome, event.time);
      case 'run.failed':
        return this.#close(run, 'failed', event.time);
      case 'run.refused':
        return this.#close(run, 'refused', event.time);
      case 'run.cancelled':
        return this.#close(run, 'cancelled', event.time);
      case 'schedule.resumed': {
        const known = this.#outcomes.get(event.aggregate.id);
        if (known) this.#outcomes.set(event.aggregate.id, { ...known, failures: 0 });
        return undefined;
      }
      default:
        return undefined;
    }
  }

  open(): IterableIterator<OpenRun> {
    return this.#open.values();
  }

  /** Open runs of a schedule, oldest first. */
  openOf(scheduleUid: string): OpenRun[] {
    return [...(this.#ofSchedule.get(scheduleUid) ?? [])].flatMap((run) => this.#open.get(run) ?? []);
  }

  /** The newest open data run of the chain that a source has in a repository. */
  openAt(source: string, repository: string): string | undefined {
    return [...(this.#conventionalAt.get(placeOf(source, repository)) ?? [])].at(-1);
  }

  /** The newest open run of its log. */
  openLogAt(source: string, repository: string): string | undefined {
    return [...(this.#conventionalAt.get(placeOfLog(source, repository)) ?? [])].at(-1);
  }

  outcomesOf(scheduleUid: string): Outcomes {
    return this.#outcomes.get(scheduleUid) ?? NO_OUTCOMES;
  }

  #add(event: Extract<TimedEvent, { type: 'run.requested' }>): OpenRun {
    const { request, schedule, scheduleUid, cadence, limits } = event.data;
    const backup = request.kind === 'backup' || request.kind === 'compose' ? request : undefined;
    const placeIn = backup?.kind === 'backup' && backup.type === 'log' ? placeOfLog : placeOf;
    const open: OpenRun = {
      run: ownText(event.aggregate.id),
      schedule,
      scheduleUid,
      cadence,
      ...(backup ? { place: placeIn(backup.source, backup.repository) } : {}),
      conventional: backup?.kind === 'compose' || backup?.copyOnly === false,
      requestedAt: ownText(event.time),
      limits,
      cancelRequested: false,
    };
    this.#keep(open);
    return open;
  }

  #keep(open: OpenRun): void {
    this.#open.set(open.run, open);
    if (open.conventional && open.place !== undefined) addTo(this.#conventionalAt, open.place, open.run);
    if (open.scheduleUid !== undefined) addTo(this.#ofSchedule, open.scheduleUid, open.run);
  }

  #change(run: string, change: (open: OpenRun) => Partial<OpenRun>): OpenRun | undefined {
    const open = this.#open.get(run);
    if (!open) return undefined;
    const changed = { ...open, ...change(open) };
    this.#open.set(run, changed);
    return changed;
  }

  #close(run: string, outcome: RunOutcome, at: string): OpenRun | undefined {
    const open = this.#open.get(run);
    if (!open) return undefined;
    this.#open.delete(run);
    if (open.place !== undefined) removeFrom(this.#conventionalAt, open.place, run);
    const { scheduleUid } = open;
    if (scheduleUid === undefined) return open;
    removeFrom(this.#ofSchedule, scheduleUid, run);
    const { failures } = this.outcomesOf(scheduleUid);
    const failed = outcome === 'failed' || outcome === 'refused';
    const inARow = failed ? failures + 1 : outcome === 'cancelled' ? failures : 0;
    this.#outcomes.set(scheduleUid, { last: { run: open.run, outcome, at: ownText(at) }, failures: inARow });
    return open;
  }
}

function placeOf(source: string, repository: string): string {
  return `${source} ${repository}`;
}

function placeOfLog(source: string, repository: string): string {
  return `${placeOf(source, repository)} log`;
}

function addTo(sets: Map<string, Set<string>>, key: string, value: string): void {
  const known = sets.get(key);
  if (known) known.add(value);
  else sets.set(key, new Set([value]));
}

function removeFrom(sets: Map<string, Set<string>>, key: string, value: string): void {
  const known = sets.get(key);
  known?.delete(value);
  if (known?.size === 0) sets.delete(key);
}
