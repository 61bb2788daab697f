import { describe, expect, it } from '@jest/globals';
import type { AggregateType, AnyRecordedEvent } from '@catena/events';
import { openRuns, violations } from './invariants.ts';

type Told = readonly [type: string, id: string, data?: Record<string, unknown>];

/** A log of these events, as far as the rules look at it. */
function logOf(told: readonly Told[]): AnyRecordedEvent[] {
  return told.map(([type, id, data = {}], index) => ({
    ...{ sequence: index + 1, id: `event-${index + 1}`, type, data, actor: 'scheduler:one' },
    ...{ aggregate: { type: type.split('.')[0] as AggregateType, id }, time: '2026-03-01T12:00:00.000Z' },
  })) as unknown as AnyRecordedEvent[];
}

const claimed = (attempt: number, mover = 'm1') => ({ attempt, mover });
const lineage = (run: string, more: Record<string, unknown> = {}) => ({
  ...{ run, backup: `bkp-${run}`, type: 'full', copyOnly: false, chain: `bkp-${run}`, position: '1' },
  ...more,
});

/** One run that makes one backup. */
function backedUp(run: string, more: Record<string, unknown> = {}, before: readonly Told[] = []): Told[] {
  const data = lineage(run, more);
  return [
    ...before,
    ['run.requested', run],
    ['run.planned', run],
    ['collection.backup-planned', 'col', data],
    ['run.claimed', run, claimed(1)],
    ['run.completed', run, { ...claimed(1), backup: data.backup }],
    ['backup.completed', data.backup, data],
    ['collection.backup-completed', 'col', data],
  ];
}
const opened: Told = ['collection.opened', 'col'];
const full = backedUp('a', {}, [opened]);
const child = (run: string, position: string) =>
  backedUp(run, { type: 'incremental', parent: 'bkp-a', chain: 'bkp-a', position });

describe('what must hold over the whole log', () => {
  it('holds for a chain of a full and an incremental', () => {
    const log = logOf([...full, ...child('b', '2')]);
    expect(violations(log)).toEqual([]);
    expect(openRuns(log)).toEqual([]);
  });

  it('names runs that have not ended', () => {
    expect(openRuns(logOf([['run.requested', 'r']]))).toEqual(['r']);
  });

  const broken: [rule: string, told: readonly Told[], violation: RegExp][] = [
    [
      'a run is planned once',
      [
        ['run.requested', 'r'],
        ['run.planned', 'r'],
        ['run.planned', 'r'],
      ],
      /there twice/,
    ],
    [
      'attempts count',
      [
        ['run.requested', 'r'],
        ['run.planned', 'r'],
        ['run.claimed', 'r', claimed(2)],
      ],
      /attempt 2 follows attempt 0/,
    ],
    [
      'nothing follows the end',
      [
        ['run.requested', 'r'],
        ['run.refused', 'r'],
        ['run.planned', 'r'],
      ],
      /comes after run.refused/,
    ],
    [
      'only the newest claim is heard',
      [
        ['run.requested', 'r'],
        ['run.planned', 'r'],
        ['run.claimed', 'r', claimed(1)],
        ['run.claimed', 'r', claimed(2, 'm2')],
        ['run.completed', 'r', claimed(1)],
      ],
      /attempt 1 of m1 speaks/,
    ],
    [
      'a parent has one child',
      [...full, ...child('b', '2'), ...child('c', '3')],
      /is the parent of bkp-c and of bkp-b/,
    ],
    ['what is planned on is there', [opened, ...child('b', '2')], /planned on bkp-a, which is not there/],
    ['positions grow', [...full, ...child('b', '1')], /does not come after/],
    [
      'data plans do not overlap',
      [
        opened,
        ['collection.backup-planned', 'col', lineage('a')],
        ['collection.backup-planned', 'col', lineage('b', { position: '2' })],
      ],
      /b is planned while the data run a is/,
    ],
    ['a backup is whole or not there', full.filter(([type]) => type !== 'backup.completed'), /half there/],
    [
      'what is due fires once',
      ['a', 'b'].flatMap((run): Told[] => [
        ['schedule.fired', 's', { cadence: 'full', nominal: 'n', reason: 'due', run }],
        ['run.requested', run, { schedule: 'nightly' }],
      ]),
      /s full n fired twice/,
    ],
    [
      'a firing is a run',
      [['schedule.fired', 's', { cadence: 'full', nominal: 'n', reason: 'due', run: 'r' }]],
      /not both/,
    ],
    ['generations count', [['definition.applied', 'd', { generation: 2 }]], /generation 2/],
  ];
  it.each(broken)('notices when it does not hold that %s', (_, told, violation) => {
    expect(violations(logOf(told)).join('\n')).toMatch(violation);
  });

  it('notices holes and events that are there twice', () => {
    const [first, second] = logOf([
      ['run.requested', 'r'],
      ['run.refused', 'r'],
    ]);
    expect(
      violations([
        { ...first!, sequence: 1 },
        { ...second!, sequence: 3 },
      ]).join(),
    ).toMatch(/sequence 3/);
    expect(violations([first!, { ...second!, id: first!.id }]).join()).toMatch(
      /has the id of the event at 1/,
    );
  });
});
