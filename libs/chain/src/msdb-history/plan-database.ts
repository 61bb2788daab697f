import { comparePositions, laterPosition, type Position } from '../position.ts';
import { LogWalk, type WalkableLog } from '../restore-plan/log-walk.ts';
import type { DatabaseHistory } from './database-history.ts';
import { DifferentialIndex, newerBy } from './differential-index.ts';
import { historyOrder, readHistoryTime } from './history-clock.ts';
import { historyPathTo } from './history-path.ts';
import { endOf, type HistorySet } from './history-set.ts';

/** What a restore from a history is to reach, and what it must not use. */
export interface HistoryPlanOptions {
  /** A time, with or without an offset; without one it is on the history's own clock. */
  readonly at?: string | undefined;
  /** An LSN to reach. */
  readonly position?: Position | undefined;
  /** An interrupted restore stands here: no base, the logs from there. */
  readonly fromPosition?: Position | undefined;
  readonly noLogs?: boolean | undefined;
  readonly noDifferentials?: boolean | undefined;
  readonly noCopyOnly?: boolean | undefined;
  /** Id of the full to start from. */
  readonly base?: string | undefined;
}

/** One RESTORE, in order. */
export interface HistoryPlanStep {
  readonly id: string;
  readonly type: HistorySet['type'];
  readonly copyOnly: boolean;
  readonly files: readonly string[];
  /** Which set on the device, where the history says it. */
  readonly filePosition?: number;
  /** On the last log: a time as it was asked for, or `lsn:<number>`. */
  readonly stopAt?: string;
}

/** A place in a history: a time as the history writes it, and an LSN. */
export interface HistoryPoint {
  readonly time: string | null;
  readonly position: Position | null;
}

/** How one database is restored, and where that stops short. */
export interface HistoryPlan {
  readonly database: string;
  readonly server?: string;
  readonly availabilityGroup?: string;
  readonly reachesTarget: boolean;
  readonly lastReachable: HistoryPoint | null;
  /** The first backup after the target that can be restored, when the target cannot. */
  readonly nextReachable: (HistoryPoint & { readonly id: string }) | null;
  /** The interval that is missing; `to` is null when nothing is known after it. */
  readonly gap: { readonly from: HistoryPoint; readonly to: HistoryPoint | null } | null;
  readonly steps: readonly HistoryPlanStep[];
  readonly notes: readonly string[];
}

interface HistoryLog extends WalkableLog {
  readonly set: HistorySet;
}

type Goal =
  | { readonly kind: 'newest'; readonly end: Position | undefined }
  | { readonly kind: 'time'; readonly time: number; readonly text: string }
  | { readonly kind: 'position'; readonly position: Position };

/** A base with its differential, and how far the logs after it reach. */
interface Candidate {
  readonly base: HistorySet | undefined;
  readonly differential: HistorySet | undefined;
  /** Where the logs start; undefined when the history has no LSN for it. */
  readonly at: Position | undefined;
  readonly last: HistoryLog | undefined;
}

/**
 * Plans the restore of one database in that engine's order (sqlserver.md section 3): the newest usable full, its newest
 * differential, then every log. A plan that cannot reach its target says so, and how far it gets.
 */
export function planDatabase(history: DatabaseHistory, options: HistoryPlanOptions): HistoryPlan {
  return new DatabasePlanner(history, options).plan();
}

class DatabasePlanner {
  readonly #history: DatabaseHistory;
  readonly #options: HistoryPlanOptions;
  readonly #notes: string[] = [];
  readonly #goal: Goal;
  readonly #fulls: readonly HistorySet[];
  readonly #differentials: DifferentialIndex;
  readonly #logs: LogWalk<HistoryLog>;
  readonly #onPath: readonly HistorySet[];
  readonly #timeOf: (set: HistorySet) => number | undefined;

  constructor(history: DatabaseHistory, options: HistoryPlanOptions) {
    this.#history = history;
    this.#options = options;
    const order = historyOrder(history.sets.map((set) => set.finish));
    this.#timeOf = (set) => (set.finish === undefined ? undefined : order(set.finish));
    const asked = options.at === undefined ? undefined : readHistoryTime(options.at, 'The asked time');
    const target = asked === undefined ? undefined : order(asked);
    const path = historyPathTo(history.sets, this.#timeOf, target);
    this.#onPath = this.#usable(history.sets.filter((set) => path.holds(set)));
    this.#goal =
      asked !== undefined && target !== undefined
        ? { kind: 'time', time: target, text: asked.text }
        : options.position !== undefined
          ? { kind: 'position', position: options.position }
          : { kind: 'newest', end: newestEnd(this.#reachable()) };
    const before = this.#onPath.filter((set) => set.type !== 'log' && this.#endsBeforeTarget(set));
    const isNewer = newerBy(this.#timeOf);
    this.#fulls = before
      .filter((set) => set.type === 'full')
      .sort((a, b) => (isNewer(a, b) ? -1 : isNewer(b, a) ? 1 : 0));
    this.#differentials = new DifferentialIndex(
      this.#fulls,
      before.filter((set) => set.type === 'differential'),
      isNewer,
    );
    this.#logs = new LogWalk(this.#walkable(this.#onPath.filter((set) => set.type === 'log')));
  }

  plan(): HistoryPlan {
    const { database, server, availabilityGroup } = this.#history;
    const candidate = this.#choose();
    const steps = candidate === undefined ? [] : this.#stepsOf(candidate);
    const end = this.#pointAfter(candidate, steps);
    const reachesTarget = candidate !== undefined && this.#isReachedBy(end.set, end.position);
    const lastReachable = candidate === undefined ? null : pointOf(end.set, end.position);
    return {
      database,
      ...(server === undefined ? {} : { server }),
      ...(availabilityGroup === undefined ? {} : { availabilityGroup }),
      reachesTarget,
      lastReachable,
      nextReachable: reachesTarget ? null : this.#nextReachable(),
      gap: reachesTarget || lastReachable === null ? null : this.#gapAfter(lastReachable),
      steps: steps.map((set, index) => this.#stepOf(set, reachesTarget && index === steps.length - 1)),
      notes: this.#notes,
    };
  }

  /** An interrupted restore takes logs only. */
  #reachable(): readonly HistorySet[] {
    const resumes = this.#options.fromPosition !== undefined;
    return resumes ? this.#onPath.filter((set) => set.type === 'log') : this.#onPath;
  }

  #usable(sets: readonly HistorySet[]): HistorySet[] {
    const { noLogs, noDifferentials, noCopyOnly } = this.#options;
    const elsewhere = this.#history.sets.length - sets.length;
    if (elsewhere > 0) this.#notes.push(`${elsewhere} sets lie on another fork or family and are not used.`);
    const damaged = sets.filter((set) => set.damaged);
    if (damaged.length > 0) this.#notes.push(`Damaged and not used: ${named(damaged)}.`);
    const snapshots = sets.filter((set) => set.snapshot && !set.damaged);
    if (snapshots.length > 0) {
      this.#notes.push(`Taken by a volume snapshot, which RESTORE cannot read: ${named(snapshots)}.`);
    }
    return sets.filter(
      (set) =>
        !set.damaged &&
        !set.snapshot &&
        !(noLogs === true && set.type === 'log') &&
        !(noDifferentials === true && set.type === 'differential') &&
        !(noCopyOnly === true && set.copyOnly),
    );
  }

  #walkable(logs: readonly HistorySet[]): HistoryLog[] {
    const walkable = logs.flatMap((set) =>
      set.firstLsn === undefined || set.lastLsn === undefined
        ? []
        : [{ start: set.firstLsn, end: set.lastLsn, copyOnly: set.copyOnly, set }],
    );
    if (walkable.length < logs.length) {
      this.#notes.push(
        `${logs.length - walkable.length} logs without LSNs cannot be placed and are not used.`,
      );
    }
    return walkable;
  }

  #endsBeforeTarget(set: HistorySet): boolean {
    if (this.#goal.kind === 'time') return (this.#timeOf(set) ?? Infinity) <= this.#goal.time;
    const end = endOf(set);
    return (
      this.#goal.kind === 'newest' || end === undefined || comparePositions(end, this.#goal.position) <= 0
    );
  }

  /** The newest base that reaches the target; else the one that comes nearest. */
  #choose(): Candidate | undefined {
    const { fromPosition, base } = this.#options;
    if (fromPosition !== undefined) return this.#candidate(undefined, fromPosition);
    const fulls =
      base === undefined
        ? this.#fulls
        : this.#fulls.filter((full) => full.id.toLowerCase() === base.toLowerCase());
    let best: Candidate | undefined;
    for (const full of fulls) {
      const candidate = this.#candidate(full);
      const { set, position } = this.#reachOf(candidate);
      if (this.#isReachedBy(set, position)) {
        best = candidate;
        break;
      }
      if (best === undefined || this.#isFurther(candidate, best)) best = candidate;
    }
    this.#explain(best, fulls[0]);
    return best;
  }

  #candidate(base: HistorySet | undefined, from?: Position): Candidate {
    const differential = base && this.#differentials.newestOf(base);
    const ends = [from, base && endOf(base), differential && endOf(differential)].filter(
      (end) => end !== undefined,
    );
    const at = ends.length === 0 ? undefined : ends.reduce(laterPosition);
    return { base, differential, at, last: at === undefined ? undefined : this.#logs.last(at) };
  }

  #reachOf(candidate: Candidate): { set: HistorySet | undefined; position: Position | undefined } {
    const { base, differential, at, last } = candidate;
    return { set: last?.set ?? differential ?? base, position: last?.end ?? at };
  }

  #isReachedBy(set: HistorySet | undefined, position: Position | undefined): boolean {
    const goal = this.#goal;
    if (goal.kind === 'time') return set !== undefined && (this.#timeOf(set) ?? -Infinity) >= goal.time;
    const wanted = goal.kind === 'position' ? goal.position : goal.end;
    if (wanted === undefined) return true;
    return position !== undefined && comparePositions(position, wanted) >= 0;
  }

  #isFurther(a: Candidate, b: Candidate): boolean {
    const [left, right] = [this.#reachOf(a).position, this.#reachOf(b).position];
    return left !== undefined && (right === undefined || comparePositions(left, right) > 0);
  }

  #explain(chosen: Candidate | undefined, newest: HistorySet | undefined): void {
    if (chosen?.base === undefined) {
      this.#notes.push(
        this.#options.base === undefined
          ? 'No usable full ends at or before the target: nothing can be restored.'
          : `There is no usable full ${this.#options.base} that ends at or before the target.`,
      );
      return;
    }
    if (newest !== undefined && newest !== chosen.base) {
      const { set } = this.#reachOf(this.#candidate(newest));
      this.#notes.push(
        `The newer full ${newest.id} is passed over: from it only ${set?.finish?.text ?? 'its own end'} can be reached.`,
      );
    }
    if (chosen.base.copyOnly) this.#notes.push(`The base ${chosen.base.id} is a copy-only full.`);
    if (chosen.base.lastLsn === undefined && chosen.at !== undefined) {
      this.#notes.push(`The base ${chosen.base.id} has no last LSN; logs are taken from ${chosen.at} on.`);
    }
    if (chosen.differential !== undefined && this.#differentials.isBoundByOrder(chosen.differential)) {
      this.#notes.push(
        `The history does not name the base of ${chosen.differential.id}; it is taken to be the full before it.`,
      );
    }
  }

  #stepsOf(candidate: Candidate): HistorySet[] {
    const { base, differential, at } = candidate;
    const data = [base, differential].filter((set) => set !== undefined);
    const goal = this.#goal;
    const isThere = goal.kind === 'position' && at !== undefined && comparePositions(at, goal.position) >= 0;
    const logs =
      at === undefined || isThere
        ? []
        : this.#logs.walk(at, (log) => goal.kind !== 'newest' && this.#isReachedBy(log.set, log.end));
    const last = logs.at(-1);
    if (last !== undefined && goal.kind === 'time') this.#aboutStopInside(last, goal.time, logs);
    const copyOnly = logs.filter((log) => log.copyOnly).map((log) => log.set);
    if (copyOnly.length > 0) {
      this.#notes.push(`Copy-only logs go on where the regular ones stop: ${named(copyOnly)}.`);
    }
    return [...data, ...logs.map((log) => log.set)];
  }

  #aboutStopInside(last: HistoryLog, target: number, logs: HistoryLog[]): void {
    const finish = this.#timeOf(last.set);
    if (!last.set.bulkLogged || finish === undefined || finish <= target) return;
    logs.pop();
    this.#notes.push(
      `The log ${last.set.id} holds bulk changes: a restore cannot stop inside it, only at its end.`,
    );
  }

  #pointAfter(candidate: Candidate | undefined, steps: readonly HistorySet[]) {
    const set = steps.at(-1);
    return { set, position: set?.type === 'log' ? set.lastLsn : candidate?.at };
  }

  #gapAfter(reached: HistoryPoint): HistoryPlan['gap'] {
    const log = reached.position === null ? undefined : this.#logs.afterGap(reached.position);
    if (log !== undefined) {
      return { from: reached, to: { time: log.set.start?.text ?? null, position: log.start } };
    }
    const goal = this.#goal;
    if (goal.kind === 'newest') return { from: reached, to: { time: null, position: goal.end ?? null } };
    return { from: reached, to: null };
  }

  #nextReachable(): HistoryPlan['nextReachable'] {
    const goal = this.#goal;
    if (goal.kind !== 'time') return null;
    let next: HistorySet | undefined;
    for (const set of this.#onPath) {
      const time = set.type === 'full' ? this.#timeOf(set) : undefined;
      if (time === undefined || time <= goal.time) continue;
      if (next === undefined || time < (this.#timeOf(next) ?? 0)) next = set;
    }
    return next === undefined ? null : { ...pointOf(next, endOf(next)), id: next.id };
  }

  #stepOf(set: HistorySet, isEnd: boolean): HistoryPlanStep {
    const { id, type, copyOnly, files, position } = set;
    const goal = this.#goal;
    const stopAt =
      !isEnd || type !== 'log'
        ? undefined
        : goal.kind === 'time'
          ? goal.text
          : goal.kind === 'position'
            ? `lsn:${goal.position}`
            : undefined;
    return {
      id,
      type,
      copyOnly,
      files,
      ...(position === undefined ? {} : { filePosition: position }),
      ...(stopAt === undefined ? {} : { stopAt }),
    };
  }
}

function pointOf(set: HistorySet | undefined, position: Position | undefined): HistoryPoint {
  return { time: set?.finish?.text ?? null, position: position ?? null };
}

function newestEnd(sets: readonly HistorySet[]): Position | undefined {
  let newest: Position | undefined;
  for (const set of sets) {
    const end = set.type === 'log' ? set.lastLsn : endOf(set);
    if (end !== undefined) newest = newest === undefined ? end : laterPosition(newest, end);
  }
  return newest;
}

function named(sets: readonly HistorySet[]): string {
  const shown = sets.slice(0, 5).map((set) => set.id);
  return `${shown.join(', ')}${sets.length > 5 ? ` and ${sets.length - 5} more` : ''}`;
}
