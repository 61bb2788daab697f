/**
 * Which logs retention keeps, over sources that are recovered to earlier places again and again. The restore planner is the oracle: what
 * was within reach before stays so, and no log stays that nothing leads to.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ForkOrigin } from '../restore-plan/fork-path.ts';
import { planRestore } from '../restore-plan/plan-restore.ts';
import type { RestorableBackup } from '../restore-plan/restorable.ts';
import { restorable, restorableLog } from '../testing/index.ts';
import { evaluateRetention } from './evaluate-retention.ts';
import type { RetentionPoint } from './point.ts';
import { readRetentionPolicy } from './read-policy.ts';
import { simulateRetention } from './simulate-retention.ts';
import { ZoneCalendar } from './zone-calendar.ts';

const HOUR = 3_600_000;
const BEGIN = Date.UTC(2026, 0, 1);
const calendar = new ZoneCalendar();

/** What happens next at the source: six hours go by, then there is a backup, or it is recovered to a place so far back. */
type Step = { readonly kind: 'full' | 'log' } | { readonly kind: 'recovery'; readonly back: number };

interface History {
  readonly backups: RestorableBackup[];
  readonly forks: Map<string, ForkOrigin>;
  readonly now: number;
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant({ kind: 'log' } as const) },
    { weight: 2, arbitrary: fc.constant({ kind: 'full' } as const) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('recovery' as const), back: fc.nat(30) }) },
  ),
  { maxLength: 40 },
);

/** Positions end in 7 for fulls, in 3 for logs: no two are the same. */
function happened(all: readonly Step[]): History {
  const backups: RestorableBackup[] = [];
  const forks = new Map<string, ForkOrigin>();
  let [fork, begins, position, archived, now] = [0, 0, 0, 0, BEGIN];
  for (const [index, step] of [{ kind: 'full' } as const, ...all].entries()) {
    now += 6 * HOUR;
    const shown = { fork: `fork-${fork}`, asOf: new Date(now).toISOString() };
    if (step.kind === 'recovery') {
      position = Math.max(begins, position - 10 * step.back) + 1;
      forks.set(`fork-${fork + 1}`, { parent: `fork-${fork}`, at: String(position) });
      fork += 1;
      begins = position;
      archived = Math.min(archived, position);
      continue;
    }
    position = Math.floor(position / 10) * 10 + (step.kind === 'full' ? 17 : 13);
    if (step.kind === 'full') backups.push(restorable(`f${index}`, position, shown));
    else {
      backups.push(restorableLog(`l${index}`, archived, position, shown));
      archived = position;
    }
  }
  return { backups, forks, now };
}

function pointOf({ backup, type, asOf, family, position, fork, start }: RestorableBackup): RetentionPoint {
  return {
    ...{ id: backup, time: Date.parse(asOf), type, copyOnly: false, manual: false, tags: [], holds: [] },
    ...{ usable: true, needs: [], group: 'one', bytes: undefined },
    place: { family, position, fork, start },
  };
}

function keptOf({ backups, forks, now }: History, policy: object): RestorableBackup[] {
  const points = backups.map(pointOf);
  const rules = readRetentionPolicy(policy);
  const { keep } = evaluateRetention(rules, points, { now, calendar }, points, forks);
  const ids = new Set(keep.map(({ id }) => id));
  return backups.filter(({ backup }) => ids.has(backup));
}

function isUsed(log: RestorableBackup, among: readonly RestorableBackup[], { forks }: History): boolean {
  const target = { kind: 'position', position: log.position } as const;
  const plan = planRestore(among, target, { fork: log.fork, forks });
  return plan.reachesTarget && plan.steps.some(({ backup }) => backup === log.backup);
}

describe('logs that stay, over branches of the source', () => {
  it('lose no second of the window on any branch that has logs in it, and none stays that no data backup leads to', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 6 }), (all, days) => {
        const history = happened(all);
        const kept = keptOf(history, { keep: { last: 1 }, logs: { for: `${days}d` } });
        const from = history.now - days * 24 * HOUR;
        for (const log of history.backups.filter(({ type }) => type === 'log')) {
          const isKept = kept.includes(log);
          if (isKept) expect(isUsed(log, kept, history)).toBe(true);
          if (Date.parse(log.asOf) <= from || !isUsed(log, history.backups, history)) continue;
          const first = Math.max(from, Date.parse(log.asOf) - 5 * HOUR);
          for (const time of [first, Date.parse(log.asOf) - HOUR]) {
            const target = { kind: 'at', at: new Date(time).toISOString() } as const;
            const options = { fork: log.fork, forks: history.forks };
            const before = planRestore(history.backups, target, options);
            const after = planRestore(kept, target, options);
            expect(after.reachesTarget).toBe(before.reachesTarget);
          }
        }
      }),
    );
  });

  it('without a window: all that goes on from a data backup that stays, and nothing else', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 4 }), (all, last) => {
        const history = happened(all);
        const kept = keptOf(history, { keep: { last } });
        const data = kept.filter(({ type }) => type === 'full');
        expect(data).toHaveLength(
          Math.min(last, history.backups.filter(({ type }) => type === 'full').length),
        );
        for (const log of history.backups.filter(({ type }) => type === 'log')) {
          const logs = history.backups.filter(({ type }) => type === 'log');
          expect(kept.includes(log)).toBe(isUsed(log, [...data, ...logs], history));
        }
      }),
    );
  });

  const onBranch = (fork: string, position: number, more: object = {}) => ({
    ...{ family: 'bank', fork, position: String(position), ...more },
  });
  const recovered = [
    { id: 'f1', time: '2026-03-01T00:00:00Z', type: 'full', ...onBranch('A', 100) },
    { id: 'a1', time: '2026-03-02T00:00:00Z', type: 'log', ...onBranch('A', 200, { start: '90' }) },
    { id: 'f2', time: '2026-03-03T00:00:00Z', type: 'full', ...onBranch('A', 300) },
    { id: 'a2', time: '2026-03-04T00:00:00Z', type: 'log', ...onBranch('A', 400, { start: '200' }) },
    // Recovered to what it was at 150.
    {
      ...{ id: 'b1', time: '2026-03-05T00:00:00Z', type: 'log' },
      ...onBranch('B', 250, { start: '150', forkParent: 'A', forkAt: '150' }),
    },
    { id: 'f3', time: '2026-03-06T00:00:00Z', type: 'full', ...onBranch('B', 280) },
    { id: 'b2', time: '2026-03-07T00:00:00Z', type: 'log', ...onBranch('B', 320, { start: '250' }) },
  ];
  const simulate = (policy: object, backups: readonly object[] = recovered) => {
    const answer = simulateRetention({ policy, backups, now: '2026-03-07T12:00:00Z' });
    return {
      kept: answer.keep.map(({ id }) => id).sort(),
      reasons: new Map([...answer.keep.map(({ id, reasons }) => [id, reasons.join()] as const)]),
      gone: new Map(answer.delete.map(({ id, reason }) => [id, reason])),
    };
  };

  it('the log of a branch that was left goes with the last data backup of it', () => {
    const { kept, gone } = simulate({ keep: { last: 1 } });
    expect(kept).toEqual(['b2', 'f3']);
    expect(gone.get('a2')).toBe('on a branch that no data backup leads to which logs are rolled on');
    expect(gone.get('b1')).toBe('ends before f3, the oldest that logs are rolled on');
  });

  it('the window of a branch begins on the one that it left', () => {
    // Three days back the source was on B already, where there was no data backup yet.
    const { kept, reasons } = simulate({ keep: { last: 1 }, logs: { for: '3d' } });
    expect(kept).toEqual(['a1', 'b1', 'b2', 'f1', 'f3']);
    expect(reasons.get('f1')).toBe('start of logs for 3d');
    // Four days back it was on A, beyond the place that it was recovered to.
    expect(simulate({ keep: { last: 1 }, logs: { for: '4d' } }).kept).toContain('f2');
  });

  it('where nobody knows how branches hang together, nothing goes for lying on another one', () => {
    const torn = recovered.map((one) => ({ ...one, forkParent: undefined }));
    expect(simulate({ keep: { last: 1 } }, torn).kept).toEqual(['a2', 'b2', 'f3']);
  });
});
