import { CatenaError } from '@catena/events';
import { keptByCalendar, type RuleVerdict } from './calendar-rules.ts';
import { assignGfsFlags } from './gfs-flags.ts';
import { Branches, type ForkOrigins } from './branches.ts';
import { keepAllLogs, keepLogsAfter, keepLogsFor, type LogsToJudge, type LogVerdict } from './keep-logs.ts';
import { keptByRules } from './keep-rules.ts';
import type { RetentionPolicy, RetentionRules } from './policy.ts';
import { locate, type LocatedPoint, type RetentionPoint } from './point.ts';
import type { ZoneCalendar } from './zone-calendar.ts';

/** A point that stays, and every reason why. */
export interface KeptPoint {
  readonly id: string;
  readonly reasons: readonly string[];
  /** No restore point any more: only its objects stay, for this one. */
  readonly retainedFor?: string;
  /** With `retainedFor`: why it is no restore point any more. */
  readonly expired?: string;
}

/** A point that goes. */
export interface GonePoint {
  readonly id: string;
  readonly reason: string;
}

export interface RetentionVerdict {
  /** Newest first. */
  readonly keep: readonly KeptPoint[];
  readonly delete: readonly GonePoint[];
}

export interface RetentionClock {
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  readonly calendar: ZoneCalendar;
}

/** Every point with its verdict while it is being decided. */
interface Ballot {
  readonly reasons: Map<string, string[]>;
  readonly gone: Map<string, string>;
}

/**
 * Decides what stays and what goes (rules.md section 5). Pure: the same points, policy and clock give the same answer.
 * Without a policy everything stays. Points of different groups do not count for each other.
 * @param history all points there ever were, also those that are gone: their periods had their flags. Default: the points.
 * @param forks by branch of the source's history, where it left its parent.
 * @throws CatenaError `retention.keeps-nothing` when the rules would keep none of a group's points.
 */
export function evaluateRetention(
  policy: RetentionPolicy | undefined,
  points: readonly RetentionPoint[],
  clock: RetentionClock,
  history: readonly RetentionPoint[] = points,
  forks: ForkOrigins = new Map(),
): RetentionVerdict {
  const branches = new Branches(history, forks);
  const located = new Map(points.map((point) => [point.id, locate(point, clock.calendar)]));
  const past = groupsOf(history.map((point) => located.get(point.id) ?? locate(point, clock.calendar)));
  const ballot: Ballot = { reasons: new Map(), gone: new Map() };
  for (const [group, members] of groupsOf([...located.values()])) {
    decideGroup(policy, members, past.get(group) ?? members, { ...clock, branches }, ballot);
  }
  for (const point of points) {
    for (const hold of point.holds) keep(ballot, point.id, hold);
  }
  return verdictOf([...located.values()].sort(newestFirst), ballot);
}

/** What else a decision is made by. */
interface Surroundings extends RetentionClock {
  readonly branches: Branches;
}

function decideGroup(
  policy: RetentionPolicy | undefined,
  members: readonly LocatedPoint[],
  history: readonly LocatedPoint[],
  clock: Surroundings,
  ballot: Ballot,
): void {
  const sorted = [...members].sort(newestFirst);
  const kinds = { data: kindOf('data'), copyOnly: kindOf('copyOnly'), manual: kindOf('manual') };
  const data = sorted.filter(kinds.data);
  const verdict = policy?.rules && decide(policy.rules, data, history.filter(kinds.data), clock);
  if (verdict !== undefined && data.length > 0 && verdict.kept.size === 0) throw keepsNothing(data);
  record(ballot, data, verdict, policy === undefined ? 'no policy' : 'no rule for data backups');
  for (const kind of ['copyOnly', 'manual'] as const) {
    const rules = policy?.[kind];
    const ofKind = sorted.filter(kinds[kind]);
    const own = rules && decide(rules, ofKind, history.filter(kinds[kind]), clock);
    record(ballot, ofKind, own, `${kind === 'copyOnly' ? 'copy-only' : 'by hand'}: no policy for it`);
  }
  decideDamaged(sorted.filter(kindOf('damaged')), data, verdict, ballot);
  decideLogs(policy, sorted.filter(kindOf('log')), data, verdict, clock, ballot);
}

function decide(
  rules: RetentionRules,
  points: readonly LocatedPoint[],
  history: readonly LocatedPoint[],
  clock: RetentionClock,
): RuleVerdict {
  if (rules.dialect === 'calendar') {
    const oldestFirst = [...history].sort((a, b) => a.time - b.time);
    const flags =
      rules.gfs === undefined ? new Map<string, never[]>() : assignGfsFlags(oldestFirst, rules.gfs);
    return keptByCalendar(points, rules, flags, clock.calendar.dayOf(clock.now));
  }
  const kept = keptByRules(points, rules, clock.calendar, clock.now);
  const gone = new Map(
    points.filter((point) => !kept.has(point.id)).map((point) => [point.id, 'no rule of keep wants it']),
  );
  // This dialect has no short term of its own: it is the newest points of which none is gone.
  const firstGone = points.findIndex((point) => !kept.has(point.id));
  const shortTerm = new Set(
    points.slice(0, firstGone === -1 ? undefined : firstGone).map((point) => point.id),
  );
  return { kept, gone, shortTerm };
}

function record(
  ballot: Ballot,
  points: readonly LocatedPoint[],
  verdict: RuleVerdict | undefined,
  otherwise: string,
): void {
  for (const { id } of points) {
    const reasons = verdict === undefined ? [otherwise] : verdict.kept.get(id);
    for (const reason of reasons ?? []) keep(ballot, id, reason);
    const gone = verdict?.gone.get(id);
    if (gone !== undefined) ballot.gone.set(id, gone);
  }
}

/** What cannot be restored never counts. It stays until everything that the rules keep is newer. */
function decideDamaged(
  damaged: readonly LocatedPoint[],
  data: readonly LocatedPoint[],
  verdict: RuleVerdict | undefined,
  ballot: Ballot,
): void {
  const oldestKept = data.findLast((point) => verdict?.kept.has(point.id) === true);
  for (const point of damaged) {
    if (oldestKept !== undefined && point.time < oldestKept.time) {
      ballot.gone.set(point.id, 'cannot be restored, and older than anything that is kept');
    } else keep(ballot, point.id, 'cannot be restored; does not count');
  }
}

function decideLogs(
  policy: RetentionPolicy | undefined,
  logs: readonly LocatedPoint[],
  data: readonly LocatedPoint[],
  verdict: RuleVerdict | undefined,
  { branches, ...clock }: Surroundings,
  ballot: Ballot,
): void {
  const judged = judgeLogs(policy, { logs, data, branches }, verdict, clock);
  for (const [id, reason] of judged.kept) keep(ballot, id, reason);
  for (const [id, reason] of judged.gone) ballot.gone.set(id, reason);
  for (const [id, reason] of judged.anchors) keep(ballot, id, reason);
}

function judgeLogs(
  policy: RetentionPolicy | undefined,
  all: LogsToJudge,
  verdict: RuleVerdict | undefined,
  clock: RetentionClock,
): LogVerdict {
  const window = policy?.logs?.for;
  if (window !== undefined) return keepLogsFor(all, { window, ...clock });
  const oldest = all.data.findLast((point) => verdict?.shortTerm.has(point.id) === true);
  if (verdict === undefined || oldest === undefined) return keepAllLogs(all);
  const stays = ({ id, holds }: LocatedPoint) => verdict.kept.has(id) || holds.length > 0;
  return keepLogsAfter(
    all,
    all.data.filter((point) => point.time >= oldest.time && stays(point)),
  );
}

function keep(ballot: Ballot, id: string, reason: string): void {
  const reasons = ballot.reasons.get(id);
  if (reasons === undefined) ballot.reasons.set(id, [reason]);
  else reasons.push(reason);
}

/** Whatever a kept point needs stays too, though it may be no restore point any more (rules.md 5.4). */
function verdictOf(points: readonly LocatedPoint[], ballot: Ballot): RetentionVerdict {
  const byId = new Map(points.map((point) => [point.id, point]));
  const neededBy = new Map<string, string>();
  for (const point of points) {
    if (!ballot.reasons.has(point.id)) continue;
    const open = [...point.needs];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (neededBy.has(id)) continue;
      neededBy.set(id, point.id);
      open.push(...(byId.get(id)?.needs ?? []));
    }
  }
  const kept: KeptPoint[] = [];
  const gone: GonePoint[] = [];
  for (const { id } of points) {
    const own = ballot.reasons.get(id);
    const by = neededBy.get(id);
    const needed = by === undefined ? [] : [`needed by ${by}`];
    if (own !== undefined) kept.push({ id, reasons: [...own, ...needed] });
    else {
      const reason = ballot.gone.get(id) ?? 'no rule wants it';
      if (by === undefined) gone.push({ id, reason });
      else kept.push({ id, reasons: needed, retainedFor: by, expired: reason });
    }
  }
  return { keep: kept, delete: gone };
}

function kindOf(kind: 'data' | 'copyOnly' | 'manual' | 'damaged' | 'log'): (point: LocatedPoint) => boolean {
  return (point) => {
    if (point.copyOnly) return kind === 'copyOnly';
    if (point.type === 'log') return kind === 'log';
    if (!point.usable) return kind === 'damaged';
    return kind === (point.manual ? 'manual' : 'data');
  };
}

function groupsOf(points: readonly LocatedPoint[]): Map<string, LocatedPoint[]> {
  return Map.groupBy(points, (point) => point.group);
}

/** Of two that show the same, the one that needs less: a composed full before what it was composed from. */
function newestFirst(a: LocatedPoint, b: LocatedPoint): number {
  return b.time - a.time || a.needs.length - b.needs.length;
}

function keepsNothing(points: readonly LocatedPoint[]): CatenaError {
  return new CatenaError(
    'retention.keeps-nothing',
    `The policy would keep none of ${points.length} backups; the newest is ${points[0]?.id ?? ''}.`,
    { remedy: 'Add a rule that always keeps something, like last: 1.', details: { path: 'retention' } },
  );
}
