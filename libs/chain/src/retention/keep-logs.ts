import { comparePositions } from '../position.ts';
import type { Branches } from './branches.ts';
import { durationBefore, type CalendarDuration } from './duration.ts';
import type { LocatedPoint } from './point.ts';
import type { ZoneCalendar } from './zone-calendar.ts';

/** Which logs stay, and the data backups that the window of time starts from. */
export interface LogVerdict {
  readonly kept: ReadonlyMap<string, string>;
  readonly gone: ReadonlyMap<string, string>;
  /** Kept whatever else says, so that the first second of the window can be had on each branch; with the reason. */
  readonly anchors: ReadonlyMap<string, string>;
}

/** What is known of logs and of the data backups that they may be rolled on. */
export interface LogsToJudge {
  readonly logs: readonly LocatedPoint[];
  /** Usable conventional data backups, newest first. */
  readonly data: readonly LocatedPoint[];
  readonly branches: Branches;
}

/** A window in which any second can be had. */
export interface LogWindow {
  readonly window: CalendarDuration;
  readonly now: number;
  readonly calendar: ZoneCalendar;
}

/** Without a rule all logs stay. */
export function keepAllLogs({ logs }: LogsToJudge): LogVerdict {
  return {
    kept: new Map(logs.map(({ id }) => [id, 'no rule for logs'])),
    gone: new Map(),
    anchors: new Map(),
  };
}

/**
 * Logs follow the data backups they are rolled on (rules.md 5.6): those stay that go on from one of these, on its branch or on one
 * that left it later.
 * @param bases data backups that stay, of the short term and newer; newest first
 */
export function keepLogsAfter({ logs, branches }: LogsToJudge, bases: readonly LocatedPoint[]): LogVerdict {
  const kept = new Map<string, string>();
  const gone = new Map<string, string>();
  const oldest = oldestOfEach(bases, branches);
  for (const log of logs) {
    const base = oldest.find((one) => branches.follows(log, one));
    if (base !== undefined) kept.set(log.id, `after ${base.id}`);
    else gone.set(log.id, whyGone(log, oldest, branches));
  }
  return { kept, gone, anchors: new Map() };
}

/**
 * A window in which any second can be had, on each branch that has logs in it: from the newest data backup before the window on the way
 * to that branch, which may lie on the one that it left.
 */
export function keepLogsFor(all: LogsToJudge, { window, now, calendar }: LogWindow): LogVerdict {
  const { logs, data, branches } = all;
  const from = durationBefore(now, window, calendar);
  const kept = new Map<string, string>();
  const anchors = new Map<string, LocatedPoint>();
  for (const goal of goalsOf(all, from)) {
    const onWay = data.filter((one) => branches.isOnWay(one, goal));
    const anchor = onWay.find(({ time }) => time <= from) ?? onWay.at(-1);
    if (anchor === undefined) continue;
    anchors.set(anchor.id, anchor);
    for (const log of logs)
      if (branches.isOnWay(log, goal) && branches.follows(log, anchor))
        kept.set(log.id, `logs for ${window.text}`);
  }
  const oldest = oldestOfEach([...anchors.values()], branches);
  const gone = logs
    .filter(({ id }) => !kept.has(id))
    .map((log) => [log.id, whyGone(log, oldest, branches)] as const);
  const reason = `start of logs for ${window.text}`;
  return {
    kept,
    gone: new Map(gone),
    anchors: new Map(logs.length === 0 ? [] : [...anchors.keys()].map((id) => [id, reason])),
  };
}

/** One point of each branch that has logs in the window, and of the one that the source is on. */
function goalsOf({ logs, data, branches }: LogsToJudge, from: number): Iterable<LocatedPoint> {
  const goals = new Map<string, LocatedPoint>();
  const add = (point: LocatedPoint | undefined) => {
    if (point !== undefined) goals.set(branches.keyOf(point), point);
  };
  // A log that shows no time at all may be of any.
  for (const log of logs) if (log.time > from || log.time <= 0) add(log);
  const [newestLog, newestData] = [logs[0], data[0]];
  add(newestLog !== undefined && newestLog.time > (newestData?.time ?? 0) ? newestLog : newestData);
  return goals.values();
}

/** Of each branch the oldest by time and the first by position: what follows any of the others follows one of these. */
function oldestOfEach(bases: readonly LocatedPoint[], branches: Branches): LocatedPoint[] {
  return [...Map.groupBy(bases, (one) => branches.keyOf(one)).values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    let [oldest, lowest] = [first, first];
    for (const one of others) {
      if (one.time < oldest.time) oldest = one;
      if (comparePositions(one.place?.position ?? '0', lowest.place?.position ?? '0') < 0) lowest = one;
    }
    return oldest === lowest ? [oldest] : [oldest, lowest];
  });
}

function whyGone(log: LocatedPoint, bases: readonly LocatedPoint[], branches: Branches): string {
  const base = bases.find((one) => branches.isOnWay(one, log));
  if (base !== undefined) return `ends before ${base.id}, the oldest that logs are rolled on`;
  return bases.length === 0
    ? 'no data backup it could be rolled on'
    : 'on a branch that no data backup leads to which logs are rolled on';
}
