import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { differential, full, historyText, log, lsn, minute, type HistoryRow } from '../testing/index.ts';
import { checkHistory, planHistory } from './answer.ts';

/** A database that is backed up every minute; each set covers the 10 LSNs before its end. */
function historyOf(
  kinds: readonly ('full' | 'copyOnly' | 'differential' | 'log' | 'copyOnlyLog')[],
): HistoryRow[] {
  const rows: HistoryRow[] = [];
  let base: HistoryRow | undefined;
  let archive = 0;
  kinds.forEach((kind, index) => {
    const end = (index + 1) * 10;
    const id = `${kind}-${index}`;
    if (kind === 'full') rows.push((base = full(id, index, end - 5, end)));
    else if (kind === 'copyOnly') rows.push(full(id, index, end - 5, end, { is_copy_only: 'true' }));
    else if (kind === 'differential' && base) rows.push(differential(id, index, end - 5, end, base));
    else if (kind === 'log' || kind === 'copyOnlyLog') {
      const columns = kind === 'log' ? {} : { is_copy_only: 'true' };
      rows.push(log(id, index, archive, end, columns));
      if (kind === 'log') archive = end;
    }
  });
  return rows;
}

const kinds = fc.array(
  fc.constantFrom(
    'full' as const,
    'copyOnly' as const,
    'differential' as const,
    'log' as const,
    'copyOnlyLog' as const,
  ),
  { minLength: 1, maxLength: 40 },
);

function only(rows: readonly HistoryRow[], at?: number) {
  return planHistory(historyText(rows), at === undefined ? {} : { at: minute(at) }).plans[0];
}

describe('whatever the history', () => {
  it('a plan is a chain without a gap, in whatever order the rows come', () => {
    fc.assert(
      fc.property(kinds, fc.nat(60), fc.func(fc.integer()), (list, at, order) => {
        const rows = historyOf(list);
        if (rows.length === 0) return;
        const plan = only(rows, at);
        const shuffled = [...rows].sort((a, b) => order(a.id) - order(b.id));
        expect(only(shuffled, at)).toEqual(plan);
        const chosen = new Set(plan?.steps.map((step) => step.id));
        if (chosen.size === 0) return;
        const [check] = checkHistory(historyText(rows.filter((row) => chosen.has(row.id)))).checks;
        expect(check?.problems.filter((one) => one.rule !== 'overlap')).toEqual([]);
      }),
    );
  });

  it('losing logs never makes a plan that reaches less silently', () => {
    fc.assert(
      fc.property(kinds, fc.nat(40), fc.nat(), (list, at, lost) => {
        const rows = historyOf(list);
        const logs = rows.filter((row) => row.type === 'L');
        const gone = logs[lost % Math.max(1, logs.length)];
        const rest = rows.filter((row) => row !== gone);
        if (rest.length === 0) return;
        const plan = only(rest, at);
        if (plan === undefined || plan.reachesTarget) return;
        if (plan.steps.length === 0) expect(plan.lastReachable).toBeNull();
        else expect(plan.gap).not.toBeNull();
      }),
    );
  });

  it('every time between the first full and the last unbroken log is reached', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(60), (count, at) => {
        const list = ['full' as const, ...Array.from({ length: count }, () => 'log' as const)];
        const plan = only(historyOf(list), Math.min(at, count));
        expect(plan?.reachesTarget).toBe(true);
        expect(plan?.steps).toHaveLength(Math.min(at, count) === 0 ? 2 : Math.min(at, count) + 1);
      }),
    );
  });

  it('histories of ten thousand sets are planned', () => {
    const list = Array.from({ length: 10_000 }, (_, i) =>
      i % 100 === 0 ? ('full' as const) : i % 10 === 0 ? ('differential' as const) : ('log' as const),
    );
    const rows = historyOf(list);
    const plan = only(rows, 9_895);
    expect(plan).toMatchObject({ reachesTarget: true });
    expect(plan?.steps.map((step) => step.id)).toEqual([
      'full-9800',
      'differential-9890',
      'log-9891',
      'log-9892',
      'log-9893',
      'log-9894',
      'log-9895',
    ]);
    const noTail = rows.filter((row) => row.id !== 'log-5');
    expect(only(noTail, 7)).toMatchObject({
      gap: { from: { position: lsn(50) }, to: { position: lsn(60) } },
    });
  });
});
