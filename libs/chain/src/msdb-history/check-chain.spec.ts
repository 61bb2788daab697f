import { describe, expect, it } from '@jest/globals';
import { copyOnlyFull, differential, full, historyText, log, type HistoryRow } from '../testing/index.ts';
import { checkHistory } from './answer.ts';

const f1 = full('f1', 10, 100, 110);
const l1 = log('l1', 20, 90, 120);
const l2 = log('l2', 30, 120, 130);
const d1 = differential('d1', 25, 115, 122, f1);

function rulesOf(rows: readonly HistoryRow[]): string[] {
  const [check] = checkHistory(historyText(rows)).checks;
  expect(check?.valid).toBe(check?.problems.length === 0);
  return check?.problems.map((one) => one.rule) ?? [];
}

describe('checking a list as a chain, sqlserver.md section 3 step 9', () => {
  it.each<[string, HistoryRow[], string[]]>([
    ['a full with its logs', [f1, l1, l2], []],
    ['a full with its differential and the log after it', [f1, d1, l2], []],
    ['any order of the list', [l2, d1, f1], []],
    ['a full alone', [f1], []],
    ['no full', [l1, l2], ['one-full']],
    ['two fulls', [f1, full('f2', 40, 200, 210)], ['one-full']],
    ['two differentials', [f1, d1, differential('d2', 27, 117, 126, f1)], ['one-differential']],
    [
      "another base's differential",
      [f1, differential('dx', 27, 117, 126, full('f0', 1, 1, 2))],
      ['differential-base'],
    ],
    ['a differential on a copy-only full', [copyOnlyFull('f1', 10, 100, 110), d1], ['differential-base']],
    ['a log missing in the middle', [f1, l1, log('l3', 40, 130, 140)], ['gap']],
    ['a log missing at the start', [f1, l2], ['log-too-new']],
    ['a log from before the full', [f1, log('l0', 5, 80, 90), log('l1', 20, 90, 120)], ['log-too-old']],
    ['two logs that overlap', [f1, l1, log('lx', 30, 115, 130)], ['overlap']],
    ['a log without LSNs', [f1, { id: 'l', type: 'L', finish: 20 }], ['lsn-missing']],
    ['a damaged set', [{ ...f1, columns: { is_damaged: '1' } }, l1], ['damaged']],
  ])('%s', (_what, rows, rules) => {
    expect(rulesOf(rows)).toEqual(rules);
  });

  it('37 sets of two forks are no chain unless a log crosses', () => {
    const on = (row: HistoryRow, first: string, last = first) => ({
      ...row,
      columns: {
        ...row.columns,
        first_recovery_fork_guid: JSON.stringify(first),
        last_recovery_fork_guid: JSON.stringify(last),
      },
    });
    expect(rulesOf([on(f1, 'A'), on(l1, 'A'), on(l2, 'B')])).toEqual(['fork']);
    expect(rulesOf([on(f1, 'A'), on(l1, 'A'), on(l2, 'A', 'B')])).toEqual([]);
  });
});
