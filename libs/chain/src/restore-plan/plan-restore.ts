import { CatenaError } from '@catena/events';
import { comparePositions, type Position } from '../position.ts';
import { AvailabilityIndex, type Availability } from './availability.ts';
import { ForkPath, type ForkOrigin } from './fork-path.ts';
import { LogWalk, type WalkableLog } from './log-walk.ts';
import { orderOfPlaces, placeOf } from './place-order.ts';
import type { RestorableBackup } from './restorable.ts';
import { endsBeforeGoal, isReached, stopOf, type Goal } from './restore-goal.ts';
import type {
  RestorePlace,
  RestorePlan,
  RestorePlanOptions,
  RestoreStep,
  RestoreTarget,
} from './restore-plan.ts';
import {
  findSought,
  logsThatHold,
  notesOfUnlisted,
  soughtInWords,
  type SoughtTarget,
} from './sought-in-logs.ts';
import { notesOfTablespaces } from './tablespaces-in-plan.ts';
import { ownerOfTarget } from './target-owner.ts';

/** How many notes about unusable backups a person reads. */
const PASSED_OVER_SHOWN = 5;

/** Copies of one thing in several repositories. */
interface Place {
  readonly copies: RestorableBackup[];
}

interface PlacedLog extends WalkableLog, Place {
  readonly at: string | null;
  /** Whether it goes on beyond where the path leaves its fork. */
  readonly isCut: boolean;
}

/** Where a restore starts: a data backup, or the place where an interrupted one stands. */
interface Start {
  readonly data: RestorableBackup | undefined;
  readonly place: RestorePlace;
}

/**
 * Plans a restore from our own repositories (rules.md 2.1, 2.2, 2.5–2.8): the newest usable data backup that ends at or
 * before the target and from which it can be reached, in one step with its closure, then logs. Each step comes from the
 * cheapest repository that has it. A plan that stops short says where, and what is missing.
 * @param backups of one source, in any order, in any number of repositories.
 * @throws CatenaError `chain.time-unreadable`, `chain.mark-unknown`, `chain.transaction-unknown`.
 */
export function planRestore(
  backups: readonly RestorableBackup[],
  target: RestoreTarget,
  options: RestorePlanOptions = {},
): RestorePlan {
  return new RestorePlanner(backups, target, options).plan();
}

class RestorePlanner {
  readonly #notes: string[] = [];
  readonly #options: RestorePlanOptions;
  readonly #availability: AvailabilityIndex;
  readonly #points: readonly (readonly RestorableBackup[])[];
  readonly #logs: LogWalk<PlacedLog>;
  readonly #goal: Goal;
  readonly #isLater: (a: RestorePlace, b: RestorePlace) => boolean;

  constructor(backups: readonly RestorableBackup[], target: RestoreTarget, options: RestorePlanOptions) {
    this.#options = options;
    const usable = withoutExcluded(backups, new Set(options.without));
    this.#availability = new AvailabilityIndex(usable, options.repositories ?? []);
    const at = target.kind === 'at' ? instantOf(target.at) : undefined;
    const { held, cut } = this.#onPath(usable, at, this.#forkOfSought(usable, target));
    const onPath = this.#allowed(held);
    this.#logs = new LogWalk([
      ...this.#placedLogs(onPath.filter(isLog)),
      ...[...cut].flatMap(([leftAt, logs]) => this.#placedLogs(this.#allowed(logs), leftAt)),
    ]);
    const data = onPath.filter((one) => one.type !== 'log' && one.state !== 'expired');
    this.#isLater = orderOfPlaces(backups);
    const copies = Map.groupBy(data, (one) => `${one.fork ?? ''} ${one.position} ${one.asOf}`);
    this.#points = [...copies.values()].sort((a, b) => this.#newestFirst(a, b));
    this.#goal = this.#goalOf(target, at, onPath);
  }

  plan(): RestorePlan {
    const start = this.#choose();
    const logs = start === undefined ? [] : this.#logsFrom(start.place);
    const steps = [
      ...(start?.data === undefined ? [] : [start.data]),
      ...logs.flatMap((log) => this.#availability.best(log.copies) ?? []),
    ].map((backup) => this.#availability.of(backup));
    const from = start?.data?.start ?? start?.place.position;
    if (from !== undefined) this.#notes.push(...notesOfTablespaces(steps, this.#goal, from));
    const last = logs.at(-1);
    const reached = last === undefined ? start?.place : endOf(last);
    const reachesTarget = reached !== undefined && this.#isReached(reached);
    return {
      reachesTarget,
      lastReachable: reached ?? null,
      gap: reachesTarget || reached === undefined ? null : this.#gapAfter(reached),
      neighbours: this.#neighbours(reached),
      ...(this.#goal.kind === 'position' && this.#goal.isMark === true
        ? { markAt: this.#goal.position }
        : {}),
      steps: steps.map((step, index) => this.#stepOf(step, reachesTarget && index === steps.length - 1)),
      bytes: steps.reduce((sum, step) => sum + step.bytes, 0),
      keyIds: [...new Set(steps.flatMap((step) => step.keyIds))],
      notes: this.#notes,
    };
  }

  /** What is not on the way to the newest fork may lie on one that was left. */
  #forkOfSought(backups: readonly RestorableBackup[], target: RestoreTarget): string | undefined {
    if (target.kind !== 'mark' && target.kind !== 'transaction') return undefined;
    const { relatives, held } = this.#pathTo(backups, undefined, undefined);
    const logsOf = (those: readonly RestorableBackup[]) =>
      logsThatHold(this.#allowed(those).filter(isLog), target);
    return logsOf(held).length > 0 ? undefined : logsOf(relatives).at(-1)?.fork;
  }

  /** Backups of the family and on the way to the fork that own the target. */
  #onPath(backups: readonly RestorableBackup[], at: string | undefined, owner: string | undefined) {
    const { held, cut } = this.#pathTo(backups, at, owner);
    const elsewhere = backups.length - held.length - [...cut.values()].flat().length;
    if (elsewhere > 0)
      this.#notes.push(`${elsewhere} backups lie on another fork or family and are not used.`);
    return { held, cut };
  }

  /**
   * What lies on the way to a fork, and by where the way leaves their own the logs that go on beyond that: as of a server
   * that lived on for a while after its standby was promoted.
   */
  #pathTo(backups: readonly RestorableBackup[], at: string | undefined, owner: string | undefined) {
    const { forks = new Map<string, ForkOrigin>(), from } = this.#options;
    const timeOf = (one: RestorableBackup) => one.asOf;
    const family = ownerOfTarget(backups, timeOf, at)?.family;
    const relatives = backups.filter((one) => one.family === family);
    const withFork = relatives.filter((one) => one.fork !== undefined);
    const fork = this.#options.fork ?? from?.fork ?? owner ?? ownerOfTarget(withFork, timeOf, at)?.fork;
    const path = fork === undefined ? undefined : new ForkPath(fork, forks);
    const isHeld = (one: RestorableBackup) => path === undefined || path.holds(one.fork, one.position);
    const cut = new Map<Position, RestorableBackup[]>();
    for (const log of relatives) {
      const leftAt = path?.leaves(log.fork);
      if (!isLog(log) || log.start === undefined || leftAt === undefined || isHeld(log)) continue;
      if (comparePositions(log.start, leftAt) < 0) cut.set(leftAt, [...(cut.get(leftAt) ?? []), log]);
    }
    return { relatives, held: relatives.filter(isHeld), cut };
  }

  #allowed(backups: readonly RestorableBackup[]): RestorableBackup[] {
    const { noLogs, noDifferentials, noCopyOnly } = this.#options;
    return backups.filter(
      (one) =>
        one.state !== 'deleted' &&
        one.state !== 'condemned' &&
        !(noLogs === true && one.type === 'log') &&
        !(noDifferentials === true && one.type === 'differential') &&
        !(noCopyOnly === true && one.copyOnly),
    );
  }

  /**
   * Logs that can be read from somewhere, one for each interval.
   * @param leftAt where the path leaves their fork, before their end
   */
  #placedLogs(logs: readonly RestorableBackup[], leftAt?: Position): PlacedLog[] {
    const copies = Map.groupBy(logs, (one) => `${one.fork ?? ''} ${one.start ?? ''} ${one.position}`);
    return [...copies.values()].flatMap((places) => {
      const best = this.#availability.best(places);
      if (best === undefined) return [];
      const { start, position, copyOnly, asOf, backup } = best;
      const lacks = this.#availability.lacks(best);
      if (lacks !== undefined) this.#notes.push(`The log ${backup} is not used: ${lacks}.`);
      if (lacks !== undefined || start === undefined) return [];
      const isCut = leftAt !== undefined;
      // The time that it shows may be of what lies behind.
      return [{ start, end: leftAt ?? position, copyOnly, at: isCut ? null : asOf, copies: places, isCut }];
    });
  }

  #goalOf(target: RestoreTarget, at: string | undefined, onPath: readonly RestorableBackup[]): Goal {
    if (at !== undefined) return { kind: 'time', at };
    if (target.kind === 'position') {
      return { kind: 'position', position: target.position, stop: `position ${target.position}` };
    }
    if (target.kind === 'mark' || target.kind === 'transaction') return this.#soughtIn(onPath, target);
    const newest = this.#options.from === undefined ? this.#newestAvailable() : undefined;
    const log = this.#logs.furthest();
    const end = log && endOf(log);
    const isLog = end !== undefined && (newest === undefined || this.#isLater(end, newest));
    return { kind: 'newest', place: isLog ? end : newest };
  }

  #soughtIn(onPath: readonly RestorableBackup[], target: SoughtTarget): Goal {
    const isAfter = target.kind === 'mark' && target.after !== undefined;
    const sought = isAfter ? { ...target, after: instantOf(target.after) } : target;
    const found = findSought(onPath.filter(isLog), sought);
    const stop = soughtInWords(target);
    if (found.kind === 'stretch' && target.kind === 'mark')
      this.#notes.push(...notesOfUnlisted(onPath.filter(isLog)));
    if (found.kind === 'stretch') return { ...found, stop };
    return { kind: 'position', position: found.mark.position, stop, isMark: true };
  }

  #newestAvailable(): RestorePlace | undefined {
    for (const copies of this.#points) {
      const best = this.#availability.best(copies);
      if (best !== undefined && this.#availability.lacks(best) === undefined) return placeOf(best);
    }
    return undefined;
  }

  #newestFirst(a: readonly RestorableBackup[], b: readonly RestorableBackup[]): number {
    const [left, right] = [a[0], b[0]];
    if (left === undefined || right === undefined) return 0;
    if (this.#isLater(placeOf(left), placeOf(right))) return -1;
    return this.#isLater(placeOf(right), placeOf(left)) ? 1 : 0;
  }

  #choose(): Start | undefined {
    const { from } = this.#options;
    if (from !== undefined) return { data: undefined, place: { at: null, position: from.position } };
    const passedOver: string[] = [];
    const found = this.#newestBefore(passedOver);
    this.#notes.push(...passedOver.slice(0, PASSED_OVER_SHOWN));
    const more = passedOver.length - PASSED_OVER_SHOWN;
    if (more > 0) this.#notes.push(`${more} more are passed over.`);
    if (found === undefined) this.#notes.push('No usable data backup ends at or before the target.');
    return found;
  }

  /** Logs that reach on from an older backup reach on from a newer one too, so the newest that is there reaches furthest. */
  #newestBefore(passedOver: string[]): Start | undefined {
    const { base } = this.#options;
    // A log chain begins within the data backup that started it: what is sought there is sought after that one.
    const goal = this.#goal;
    const oldest = this.#points.findLast(([one]) => one !== undefined && this.#isUsable(one));
    for (const copies of this.#points) {
      const [point] = copies;
      const isFirst = goal.kind === 'stretch' && (copies === oldest || base !== undefined);
      if (point === undefined || !(isFirst || endsBeforeGoal(goal, point))) continue;
      if (base !== undefined && !copies.some((one) => one.backup === base)) continue;
      const data = this.#availability.best(copies) ?? point;
      const lacks = this.#availability.lacks(data);
      if (lacks === undefined) return { data, place: placeOf(data) };
      passedOver.push(`${point.backup} is passed over: ${lacks}.`);
    }
    return undefined;
  }

  #isUsable(one: RestorableBackup): boolean {
    return this.#availability.lacks(one) === undefined;
  }

  #isReached(place: RestorePlace): boolean {
    return isReached(this.#goal, place, this.#isLater);
  }

  #logsFrom(start: RestorePlace): PlacedLog[] {
    const isNewest = this.#goal.kind === 'newest';
    if (!isNewest && this.#isReached(start)) return [];
    const logs = this.#logs.walk(start.position, (log) => !isNewest && this.#isReached(endOf(log)));
    // What is cut off leads on to the next branch, or to a position; to its end it would be rolled on the one that was left.
    while (logs.at(-1)?.isCut === true && !this.#endsAtPosition(logs.at(-1))) logs.pop();
    const copyOnly = logs.filter((log) => log.copyOnly).flatMap((log) => log.copies[0]?.backup ?? []);
    if (copyOnly.length > 0) {
      this.#notes.push(`Copy-only logs go on where the regular ones stop: ${copyOnly.join(', ')}.`);
    }
    return logs;
  }

  #endsAtPosition(log: PlacedLog | undefined): boolean {
    return this.#goal.kind === 'position' && log !== undefined && this.#isReached(endOf(log));
  }

  #gapAfter(reached: RestorePlace): RestorePlan['gap'] {
    const next = this.#logs.afterGap(reached.position);
    if (next !== undefined) return { from: reached, to: { at: null, position: next.start } };
    const goal = this.#goal;
    if (goal.kind === 'newest') return { from: reached, to: goal.place ?? null };
    if (goal.kind === 'time') return { from: reached, to: null };
    return { from: reached, to: { at: null, position: goal.kind === 'stretch' ? goal.to : goal.position } };
  }

  #neighbours(reached: RestorePlace | undefined): RestorePlan['neighbours'] {
    const goal = this.#goal;
    const before = reached?.at ?? null;
    if (goal.kind !== 'time') return { before, after: null };
    const next = this.#points.findLast((copies) => {
      const [point] = copies;
      if (point === undefined || point.asOf <= goal.at) return false;
      return this.#availability.lacks(this.#availability.best(copies) ?? point) === undefined;
    });
    const after = next?.[0]?.asOf ?? null;
    return { before: before === null || before <= goal.at ? before : goal.at, after };
  }

  #stepOf(step: Availability, isEnd: boolean): RestoreStep {
    const { backup, type, copyOnly, repository } = step.backup;
    const { needs, bytes, keyIds } = step;
    const stopAt = isEnd && type === 'log' ? stopOf(this.#goal) : undefined;
    const present = step.lacks === undefined;
    return {
      backup,
      type,
      copyOnly,
      repository,
      needs,
      bytes,
      keyIds,
      present,
      ...(stopAt === undefined ? {} : { stopAt }),
    };
  }
}

function withoutExcluded(
  backups: readonly RestorableBackup[],
  excluded: ReadonlySet<string>,
): readonly RestorableBackup[] {
  if (excluded.size === 0) return backups;
  return backups.map((one) => (excluded.has(one.backup) ? { ...one, state: 'missing' } : one));
}

function isLog(backup: RestorableBackup): boolean {
  return backup.type === 'log';
}

function endOf(log: PlacedLog): RestorePlace {
  return { at: log.at, position: log.end };
}

function instantOf(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) {
    throw new CatenaError('chain.time-unreadable', `"${text}" is not a time.`, {
      remedy: 'Give it as 2026-03-01T12:00:00Z or with an offset.',
    });
  }
  return time.toISOString();
}
