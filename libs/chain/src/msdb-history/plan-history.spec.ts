import { describe, expect, it } from '@jest/globals';
import {
  copyOnlyFull,
  differential,
  full,
  historyText,
  log,
  lsn,
  minute,
  type HistoryRow,
} from '../testing/index.ts';
import { planHistory } from './answer.ts';
import type { HistoryPlanOptions } from './plan-database.ts';

type Asked = Omit<HistoryPlanOptions, 'at'> & { at?: number };

function planOf(rows: readonly HistoryRow[], { at, ...rest }: Asked = {}) {
  const options = at === undefined ? rest : { ...rest, at: minute(at) };
  const { plans } = planHistory(historyText(rows), options);
  expect(plans).toHaveLength(1);
  return plans[0]!;
}

function idsOf(rows: readonly HistoryRow[], asked: Asked = {}): string[] {
  return planOf(rows, asked).steps.map((step) => step.id);
}

const f1 = full('f1', 10, 100, 110);
const l1 = log('l1', 20, 90, 120);
const l2 = log('l2', 30, 120, 130);
const d1 = differential('d1', 35, 125, 135, f1);
const l3 = log('l3', 40, 130, 140);
const f2 = full('f2', 45, 141, 145);
const l4 = log('l4', 50, 140, 150);
const usual = [f1, l1, l2, d1, l3, f2, l4];

describe('planning from a SQL Server history, by rule of sqlserver.md section 2', () => {
  const c1 = copyOnlyFull('c1', 25, 121, 125);
  const broken = { ...d1, columns: { ...d1.columns, is_damaged: '1' } };
  const rows: [rule: string, history: HistoryRow[], asked: Asked, ids: string[]][] = [
    ['2 a copy-only full does not become the base', [f1, c1, d1], {}, ['f1', 'd1']],
    [
      '3 a differential is used only on its own base',
      [f1, copyOnlyFull('c2', 34, 120, 124), d1],
      { base: 'c2' },
      ['c2'],
    ],
    ['4 an ordinary full resets the base', [f1, f2, differential('d2', 60, 150, 160, f2)], {}, ['f2', 'd2']],
    [
      '4 with the new base lost the old one does not take its differential',
      [f1, differential('d2', 60, 150, 160, f2)],
      {},
      ['f1'],
    ],
    [
      '5 a full leaves the log chain intact',
      [f1, l1, l2, l3, f2, l4],
      { base: 'f1' },
      ['f1', 'l1', 'l2', 'l3', 'l4'],
    ],
    ['9 a copy-only full is a base, and logs after it apply', [f1, l1, c1, l2, l3], {}, ['c1', 'l2', 'l3']],
    [
      '8 a differential is never copy-only',
      [f1, { ...d1, columns: { ...d1.columns, is_copy_only: 'true' } }],
      {},
      ['f1', 'd1'],
    ],
    ['12 each log starts where the one before ended', [f1, l1, l2, l3], {}, ['f1', 'l1', 'l2', 'l3']],
    [
      '13 a copy-only log leaves the chain of the regular ones',
      [f1, l1, log('cl', 25, 120, 126, { is_copy_only: '1' }), l2, l3],
      {},
      ['f1', 'l1', 'l2', 'l3'],
    ],
    [
      '15 a copy-only log serves as tail',
      [f1, l1, log('cl', 25, 120, 126, { is_copy_only: '1' })],
      {},
      ['f1', 'l1', 'cl'],
    ],
    [
      '23 only the newest differential is needed',
      [f1, differential('d0', 15, 112, 115, f1), d1],
      {},
      ['f1', 'd1'],
    ],
    ['30 full, newest differential, every log', usual.slice(0, 5), {}, ['f1', 'd1', 'l3']],
    ['32 the stop is on the last log', usual, { at: 33 }, ['f1', 'l1', 'l2', 'l3']],
    ['33 a data backup must finish before the target', usual, { at: 34 }, ['f1', 'l1', 'l2', 'l3']],
    ['40 a damaged set is not used', [f1, l1, l2, broken, l3], {}, ['f1', 'l1', 'l2', 'l3']],
    ['58 a resumed restore takes the logs from there', usual, { fromPosition: lsn(130) }, ['l3', 'l4']],
    [
      '61 a full of a volume snapshot is no base',
      [f1, full('snap', 15, 111, 112, { is_snapshot: '1' }), l1],
      {},
      ['f1', 'l1'],
    ],
  ];

  it.each(rows)('%s', (_rule, history, asked, ids) => {
    expect(idsOf(history, asked)).toEqual(ids);
  });

  it.each(rows)('%s, whatever the order of the rows', (_rule, history, asked, ids) => {
    expect(idsOf([...history].reverse(), asked)).toEqual(ids);
  });
});

describe('planning from a SQL Server history, by step of sqlserver.md section 3', () => {
  it('1 stripes of one set are one set', () => {
    const stripe = { ...f1, columns: { ...f1.columns, media: '["f1-2.bak"]' } };
    const plan = planOf([f1, stripe, l1]);
    expect(plan.steps[0]?.files).toEqual(['f1.bak', 'f1-2.bak']);
  });

  it('1 media may be objects, and a joined row has its own', () => {
    const objects = {
      ...f1,
      columns: {
        ...f1.columns,
        media: '[{"physical_device_name":"a.bak"}]',
        physical_device_name: '"b.bak"',
      },
    };
    expect(planOf([objects]).steps[0]?.files).toEqual(['a.bak', 'b.bak']);
  });

  it('1 database names compare without case, and a file of several gives several plans', () => {
    const named = (row: HistoryRow, name: string) => ({
      ...row,
      columns: { ...row.columns, database_name: JSON.stringify(name) },
    });
    const text = historyText([f1, named(l1, 'SALES'), named(full('x', 5, 1, 2), 'Other')]);
    const { plans } = planHistory(text);
    expect(plans.map((plan) => [plan.database, plan.steps.map((step) => step.id)])).toEqual([
      ['Sales', ['f1', 'l1']],
      ['Other', ['x']],
    ]);
    expect(planHistory(text, { database: 'sAlEs' }).plans).toHaveLength(1);
    expect(() => planHistory(text, { database: 'none' })).toThrow(
      expect.objectContaining({ code: 'history.database-unknown' }),
    );
  });

  it('1 the chain belongs to the availability group, not the server', () => {
    const on = (row: HistoryRow, server: string, group?: string) => ({
      ...row,
      columns: {
        ...row.columns,
        server_name: JSON.stringify(server),
        family_guid: '"fam"',
        ...(group === undefined ? {} : { availability_group_name: JSON.stringify(group) }),
      },
    });
    const plan = planOf([on(f1, 'A'), on(l1, 'A', 'ag'), on(l2, 'B', 'AG'), on(l3, 'b', 'ag')]);
    expect(plan.availabilityGroup).toBe('ag');
    expect(plan.server).toBeUndefined();
    expect(plan.steps.map((step) => step.id)).toEqual(['f1', 'l1', 'l2', 'l3']);
  });

  it('1 the same name on two servers is two databases', () => {
    const on = (row: HistoryRow, server: string) => ({
      ...row,
      columns: { ...row.columns, server_name: JSON.stringify(server) },
    });
    const { plans } = planHistory(historyText([on(f1, 'A'), on(l1, 'A'), on(full('g1', 9, 500, 510), 'B')]));
    expect(plans.map((plan) => [plan.server, plan.steps.length])).toEqual([
      ['A', 2],
      ['B', 1],
    ]);
  });

  const forked = (row: HistoryRow, first: string, last = first, point?: number): HistoryRow => ({
    ...row,
    columns: {
      ...row.columns,
      first_recovery_fork_guid: JSON.stringify(first),
      last_recovery_fork_guid: JSON.stringify(last),
      ...(point === undefined ? {} : { fork_point_lsn: lsn(point) }),
    },
  });
  // Recovered to 125 at minute 60: what l2 and l3 hold after 125 is of the old branch.
  const old = [f1, l1, l2, l3].map((row) => forked(row, 'A'));
  const crossing = forked(log('x1', 70, 120, 128), 'A', 'B', 125);
  const young = forked(log('x2', 80, 128, 132), 'B');

  it('2 the newest fork is the newest by time, not by LSN', () => {
    expect(idsOf([...old, crossing, young])).toEqual(['f1', 'l1', 'x1', 'x2']);
  });

  it('2 a target before the recovery lies on the old branch', () => {
    expect(idsOf([...old, crossing, young], { at: 38 })).toEqual(['f1', 'l1', 'l2', 'l3']);
  });

  it('2 the old branch is used only up to the fork point', () => {
    const late = forked(full('late', 50, 131, 134), 'A');
    expect(idsOf([...old, late, crossing, young])).toEqual(['f1', 'l1', 'x1', 'x2']);
  });

  it('2 a fork without a crossing log stands alone, and a missing fork matches any', () => {
    const alone = forked(full('b1', 90, 10, 20), 'C');
    const unsaid = log('u1', 95, 15, 30);
    expect(idsOf([...old, alone, unsaid])).toEqual(['b1', 'u1']);
  });

  it('2 a differential on a new fork keeps its base of the old one on the path', () => {
    const after = forked(differential('fd', 90, 121, 124, f1), 'D');
    expect(idsOf([...old, after])).toEqual(['f1', 'fd']);
  });

  it('2 another family at the same name is another database', () => {
    const family = (row: HistoryRow, guid: string) => ({
      ...row,
      columns: { ...row.columns, family_guid: JSON.stringify(guid) },
    });
    const rows = [
      family(f1, 'one'),
      family(l1, 'one'),
      family(full('n1', 60, 1, 5), 'two'),
      family(log('n2', 70, 4, 9), 'two'),
    ];
    expect(idsOf(rows)).toEqual(['n1', 'n2']);
    expect(idsOf(rows, { at: 15 })).toEqual(['f1', 'l1']);
  });

  it('3 the next older base is tried when the newest does not reach, and it is said', () => {
    const c1 = copyOnlyFull('c1', 32, 132, 134);
    const plan = planOf([f1, c1, d1]);
    expect(plan.steps.map((step) => step.id)).toEqual(['f1', 'd1']);
    expect(plan.notes.join()).toContain('c1 is passed over');
  });

  it('4 without a base id the checkpoint binds', () => {
    const bare = { ...d1, columns: { differential_base_lsn: lsn(100) } };
    expect(idsOf([f1, bare])).toEqual(['f1', 'd1']);
    const older = { ...d1, columns: { database_backup_lsn: lsn(100) } };
    expect(idsOf([f1, older])).toEqual(['f1', 'd1']);
    const other = { ...d1, columns: { differential_base_lsn: lsn(99) } };
    expect(planOf([f1, other])).toMatchObject({ reachesTarget: false, steps: [{ id: 'f1' }] });
  });

  it('4 a base id decides also when the checkpoint of two fulls is the same', () => {
    const twin = full('twin', 12, 100, 112);
    expect(idsOf([f1, twin, d1])).toEqual(['f1', 'd1']);
  });

  it('4 a history that names no base at all is read by order, and it is said', () => {
    const plan = planOf([f1, { ...d1, columns: {} }]);
    expect(plan.steps.map((step) => step.id)).toEqual(['f1', 'd1']);
    expect(plan.notes.join()).toContain('does not name the base');
  });

  it('5 empty logs and a log that ends where the data backup ends are left out', () => {
    const empty = log('e', 20, 110, 110);
    const boundary = log('b', 10, 80, 110);
    expect(idsOf([f1, boundary, empty, log('n', 30, 110, 120)])).toEqual(['f1', 'n']);
  });

  it('6 membership is by position, not by the full that a log names', () => {
    const elsewhere = { ...l2, columns: { database_backup_lsn: lsn(1) } };
    expect(idsOf([f1, copyOnlyFull('c1', 25, 121, 125), elsewhere])).toEqual(['c1', 'l2']);
  });

  it('7 a plan that stops short names the gap', () => {
    const plan = planOf([f1, l1, l3, l4]);
    expect(plan).toMatchObject({
      reachesTarget: false,
      lastReachable: { time: minute(20), position: lsn(120) },
      gap: { from: { position: lsn(120) }, to: { position: lsn(130), time: minute(40) } },
    });
    expect(plan.steps.map((step) => step.id)).toEqual(['f1', 'l1']);
  });

  it('7 a target after everything is not reached', () => {
    expect(planOf(usual, { at: 99 })).toMatchObject({
      reachesTarget: false,
      lastReachable: { time: minute(50), position: lsn(150) },
      gap: { from: { position: lsn(150) }, to: null },
    });
  });

  it('7 a target before everything has no plan, and the next time is named', () => {
    expect(planOf(usual, { at: 5 })).toMatchObject({
      reachesTarget: false,
      lastReachable: null,
      gap: null,
      steps: [],
      nextReachable: { id: 'f1', time: minute(10) },
    });
  });

  it('7 simple model: the nearest data backup before the target, flagged', () => {
    expect(planOf([f1, f2], { at: 30 })).toMatchObject({
      reachesTarget: false,
      steps: [{ id: 'f1' }],
      lastReachable: { time: minute(10) },
      nextReachable: { id: 'f2' },
    });
  });

  it('8 the stop clause is on the last log only', () => {
    const { steps, reachesTarget } = planOf(usual, { at: 33 });
    expect(reachesTarget).toBe(true);
    expect(steps.map((step) => step.stopAt)).toEqual([undefined, undefined, undefined, minute(33)]);
  });

  it('8 a position is a target too', () => {
    const { steps, reachesTarget } = planOf(usual, { position: lsn(134) });
    expect(reachesTarget).toBe(true);
    expect(steps.map((step) => step.id)).toEqual(['f1', 'l1', 'l2', 'l3']);
    expect(steps.at(-1)?.stopAt).toBe(`lsn:${lsn(134)}`);
  });

  it('26 no stop inside a log with bulk changes', () => {
    const bulk = { ...l2, columns: { has_bulk_logged_data: 'true' } };
    const plan = planOf([f1, l1, bulk, l3], { at: 25 });
    expect(plan).toMatchObject({ reachesTarget: false, lastReachable: { time: minute(20) } });
    expect(plan.steps.map((step) => step.id)).toEqual(['f1', 'l1']);
  });

  it('exclusions: no logs, no differentials, no copy-only', () => {
    expect(idsOf(usual, { at: 42, noDifferentials: true })).toEqual(['f1', 'l1', 'l2', 'l3', 'l4']);
    expect(planOf(usual, { at: 42, noLogs: true })).toMatchObject({
      reachesTarget: false,
      steps: [{ id: 'f1' }, { id: 'd1' }],
    });
    const c1 = copyOnlyFull('c1', 25, 121, 125);
    expect(idsOf([f1, l1, c1, l2], { noCopyOnly: true })).toEqual(['f1', 'l1', 'l2']);
  });
});

describe('reading a history', () => {
  it('keeps every digit of an LSN', () => {
    const digits = '1234567890123456789012345';
    const text = `[{"backup_set_uuid":"f","database_name":"d","type":"D","first_lsn":1,"last_lsn":${digits}}]`;
    expect(planHistory(text).plans[0]?.lastReachable).toEqual({ time: null, position: digits });
  });

  it('orders by LSN where file names and one-second clocks do not', () => {
    const second = { finish: 20 };
    const rows = [
      f1,
      { ...log('log_3', 20, 120, 130), ...second },
      { ...log('log_21', 20, 110, 120), ...second },
      { ...log('log_1', 20, 130, 140), ...second },
    ];
    expect(idsOf(rows)).toEqual(['f1', 'log_21', 'log_3', 'log_1']);
  });

  it('takes rows of which only a little is known', () => {
    expect(planHistory('[{"type":"D"}]').plans).toMatchObject([
      { database: '', steps: [{ id: 'row-1', type: 'full', copyOnly: false, files: [] }] },
    ]);
    expect(planHistory('[]').plans).toEqual([]);
    expect(planHistory('{"rows":[{"type":"D"}]}').plans).toHaveLength(1);
  });

  it('57 names file and partial sets, and never uses them as a base', () => {
    const rows = [{ ...f1, type: 'F' as unknown as 'D' }, f2];
    const plan = planOf(rows);
    expect(plan.steps.map((step) => step.id)).toEqual(['f2']);
    expect(plan.notes.join()).toContain('file or filegroup');
  });

  it('compares as instants when every time says its offset, else by the digits on the clock', () => {
    const zoned = (row: HistoryRow, time: string) => ({
      ...row,
      columns: { ...row.columns, backup_finish_date: JSON.stringify(time) },
    });
    const rows = [zoned(f1, '2026-03-01T01:00:00+02:00'), zoned(l1, '2026-02-28T23:30:00Z')];
    const { plans } = planHistory(historyText(rows), { at: '2026-03-01T00:15:00+01:00' });
    expect(plans[0]).toMatchObject({ reachesTarget: true, steps: [{ id: 'f1' }, { id: 'l1' }] });
    const naive = planHistory(historyText(usual), { at: `${minute(33)}+05:00` });
    expect(naive.plans[0]?.steps.map((step) => step.id)).toEqual(['f1', 'l1', 'l2', 'l3']);
  });

  it.each([
    ['not JSON', 'nope', 'history.not-json'],
    ['no list', '"x"', 'history.not-a-list'],
    ['a row that is none', '[1]', 'history.not-a-list'],
    ['a type nobody knows', '[{"type":"Z"}]', 'history.type-unknown'],
    ['an LSN that lost digits', '[{"type":"D","first_lsn":1.2e24}]', 'history.lsn-unreadable'],
    ['a time nobody can read', '[{"type":"D","backup_finish_date":"noon"}]', 'history.time-unreadable'],
  ])('refuses %s by name', (_what, text, code) => {
    expect(() => planHistory(text)).toThrow(expect.objectContaining({ code }));
  });

  it('refuses two targets', () => {
    expect(() => planHistory('[]', { at: minute(1), position: '1' })).toThrow(
      expect.objectContaining({ code: 'history.options-conflict' }),
    );
  });
});
