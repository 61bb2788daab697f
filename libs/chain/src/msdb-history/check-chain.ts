import { comparePositions } from '../position.ts';
import type { DatabaseHistory } from './database-history.ts';
import { endOf, type HistorySet } from './history-set.ts';

/** What is wrong with a list that is to be restored as one chain. */
export interface ChainProblem {
  readonly rule:
    | 'one-full'
    | 'one-differential'
    | 'differential-base'
    | 'lsn-missing'
    | 'log-too-new'
    | 'log-too-old'
    | 'gap'
    | 'overlap'
    | 'fork'
    | 'damaged';
  readonly ids: readonly string[];
  readonly message: string;
}

/** Whether the sets of one database are one chain. */
export interface ChainCheck {
  readonly database: string;
  readonly server?: string;
  readonly availabilityGroup?: string;
  readonly valid: boolean;
  readonly problems: readonly ChainProblem[];
}

/**
 * Validates a given list as one chain (sqlserver.md section 3, step 9): one full, at most one differential bound to it,
 * logs without a gap from there on. The order of the list does not matter.
 */
export function checkChain(history: DatabaseHistory): ChainCheck {
  const { database, server, availabilityGroup, sets } = history;
  const problems = [...dataProblems(sets), ...logProblems(sets), ...setProblems(sets)];
  return {
    database,
    ...(server === undefined ? {} : { server }),
    ...(availabilityGroup === undefined ? {} : { availabilityGroup }),
    valid: problems.length === 0,
    problems,
  };
}

function* dataProblems(sets: readonly HistorySet[]): Iterable<ChainProblem> {
  const fulls = sets.filter((set) => set.type === 'full');
  const differentials = sets.filter((set) => set.type === 'differential');
  if (fulls.length !== 1) {
    yield problem('one-full', fulls, `A chain has one full; the list has ${fulls.length}.`);
  }
  if (differentials.length > 1) {
    yield problem(
      'one-differential',
      differentials,
      `A chain has at most one differential, because each holds all change since the base; the list has ${differentials.length}.`,
    );
  }
  const [full] = fulls;
  if (full === undefined || fulls.length > 1) return;
  for (const differential of differentials) {
    if (isBound(differential, full)) continue;
    yield problem(
      'differential-base',
      [differential, full],
      `The differential ${differential.id} was not taken from the full ${full.id}.`,
    );
  }
}

function* logProblems(sets: readonly HistorySet[]): Iterable<ChainProblem> {
  const logs = sets.filter((set) => set.type === 'log');
  const unplaced = logs.filter((log) => log.firstLsn === undefined || log.lastLsn === undefined);
  if (unplaced.length > 0) {
    yield problem('lsn-missing', unplaced, 'Logs without first and last LSN cannot be checked.');
    return;
  }
  logs.sort(
    (a, b) =>
      comparePositions(a.firstLsn ?? '0', b.firstLsn ?? '0') ||
      comparePositions(a.lastLsn ?? '0', b.lastLsn ?? '0'),
  );
  yield* startProblems(sets, logs[0]);
  for (const [index, log] of logs.entries()) {
    const before = logs[index - 1];
    if (before?.lastLsn === undefined || log.firstLsn === undefined) continue;
    const order = comparePositions(log.firstLsn, before.lastLsn);
    if (order > 0) {
      const message = `The log that covers ${before.lastLsn} to ${log.firstLsn} is missing.`;
      yield problem('gap', [before, log], message);
    } else if (order < 0) {
      const message = `The log ${log.id} starts at ${log.firstLsn}, before ${before.id} ends at ${before.lastLsn}.`;
      yield problem('overlap', [before, log], message);
    }
  }
}

/** The first log must start at or before the end of the data backup, and end at or after it. */
function* startProblems(sets: readonly HistorySet[], first: HistorySet | undefined): Iterable<ChainProblem> {
  const data = sets.filter((set) => set.type !== 'log');
  const anchor = data.find((set) => set.type === 'differential') ?? data[0];
  const end = anchor && endOf(anchor);
  if (anchor === undefined || end === undefined || first?.firstLsn === undefined) return;
  if (comparePositions(first.firstLsn, end) > 0) {
    const message = `The first log ${first.id} starts at ${first.firstLsn}, after ${anchor.id} ends at ${end}: the log between is missing.`;
    yield problem('log-too-new', [anchor, first], message);
  } else if (first.lastLsn !== undefined && comparePositions(first.lastLsn, end) < 0) {
    const message = `The first log ${first.id} ends at ${first.lastLsn}, before ${anchor.id} ends at ${end}.`;
    yield problem('log-too-old', [anchor, first], message);
  }
}

function* setProblems(sets: readonly HistorySet[]): Iterable<ChainProblem> {
  const damaged = sets.filter((set) => set.damaged);
  if (damaged.length > 0) yield problem('damaged', damaged, 'These sets were taken with damage.');
  const data = sets.filter((set) => set.type !== 'log');
  const families = new Set(sets.flatMap((set) => set.family ?? []));
  if (families.size > 1) {
    yield problem('fork', sets, 'The sets are of several database families.');
    return;
  }
  const forks = new Set(data.flatMap((set) => set.lastFork ?? []));
  const crossed = new Set(sets.flatMap((set) => [set.firstFork ?? [], set.lastFork ?? []].flat()));
  const bridges = sets.filter(
    (set) => set.type === 'log' && set.firstFork !== undefined && set.firstFork !== set.lastFork,
  );
  const joined = bridges.length + (forks.size > 1 ? forks.size - 1 : 0);
  if (crossed.size > joined + 1) {
    yield problem('fork', sets, 'The sets are of several recovery forks, and no log crosses between them.');
  }
}

function isBound(differential: HistorySet, full: HistorySet): boolean {
  if (full.copyOnly) return false;
  const { differentialBaseGuid: guid } = differential;
  if (guid !== undefined && full.guid !== undefined) return guid === full.guid;
  const lsn = differential.differentialBaseLsn ?? differential.databaseBackupLsn;
  return lsn === undefined || full.checkpointLsn === undefined || lsn === full.checkpointLsn;
}

function problem(rule: ChainProblem['rule'], sets: readonly HistorySet[], message: string): ChainProblem {
  return { rule, ids: sets.map((set) => set.id), message };
}
