import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { restorable, restorableLog, restorableTime } from '../testing/index.ts';
import { planRestore } from './plan-restore.ts';
import type { RestorePlanOptions, RestoreTarget } from './restore-plan.ts';
import type { RestorableBackup } from './restorable.ts';

const f1 = restorable('f1', 100);
const i1 = restorable('i1', 110, { closure: ['f1'], bytes: 1 });
const c1 = restorable('c1', 115);
const i2 = restorable('i2', 120, { closure: ['f1', 'i1'], bytes: 1 });
const d1 = restorable('d1', 130, { closure: ['f1'], bytes: 3 });
const f2 = restorable('f2', 140);
const files = [f1, i1, c1, i2, d1, f2];
const l1 = restorableLog('l1', 90, 105);
const l2 = restorableLog('l2', 105, 118);
const l3 = restorableLog('l3', 118, 135);
const l4 = restorableLog('l4', 135, 150);
const logs = [l1, l2, l3, l4];
const all = [...files, ...logs];

function at(minute: number): RestoreTarget {
  return { kind: 'at', at: restorableTime(minute) };
}

const latest: RestoreTarget = { kind: 'latest' };

function idsOf(backups: readonly RestorableBackup[], target: RestoreTarget, options?: RestorePlanOptions) {
  return planRestore(backups, target, options).steps.map((step) => step.backup);
}

describe('planning a restore from our own repositories, rules.md 2.2', () => {
  it.each<[string, readonly RestorableBackup[], RestoreTarget, RestorePlanOptions, string[], boolean]>([
    ['latest is whatever is newest', files, latest, {}, ['f2'], true],
    ['the end of a backup is reached in one step', files, at(120), {}, ['i2'], true],
    ['without logs the nearest before the target, and it is said', files, at(125), {}, ['i2'], false],
    ['copy-only fulls count', files, at(117), {}, ['c1'], false],
    ['no copy-only', files, at(117), { noCopyOnly: true }, ['i1'], false],
    ['no differentials', files, at(135), { noDifferentials: true }, ['i2'], false],
    ['a named base', files, latest, { base: 'd1' }, ['d1'], false],
    ['without a backup: nor what needs it', files, at(125), { without: ['i1'] }, ['c1'], false],
    ['logs reach times between backups', all, at(125), {}, ['i2', 'l3'], true],
    ['a log is not needed where a backup ends', all, at(120), {}, ['i2'], true],
    ['latest goes on with the logs after the newest backup', all, latest, {}, ['f2', 'l4'], true],
    ['a copy-only full is rolled forward like any other', all, at(117), {}, ['c1', 'l2'], true],
    ['no logs', all, at(125), { noLogs: true }, ['i2'], false],
    ['a position', all, { kind: 'position', position: '137' }, {}, ['d1', 'l3', 'l4'], true],
    ['a position at the end of a backup', all, { kind: 'position', position: '130' }, {}, ['d1'], true],
    [
      'a resumed restore takes the logs from there',
      all,
      at(140),
      { from: { position: '118' } },
      ['l3', 'l4'],
      true,
    ],
    ['a resumed restore to the newest', all, latest, { from: { position: '118' } }, ['l3', 'l4'], true],
    ['nothing that early', all, at(50), {}, [], false],
  ])('%s', (_rule, backups, target, options, ids, reachesTarget) => {
    const plan = planRestore(backups, target, options);
    expect(plan.steps.map((step) => step.backup)).toEqual(ids);
    expect(plan.reachesTarget).toBe(reachesTarget);
    expect(idsOf([...backups].reverse(), target, options)).toEqual(ids);
  });

  it('2.5 prefers regular logs, and uses a copy-only one where they stop, with a note', () => {
    const tail = restorableLog('lt', 135, 145, { copyOnly: true });
    expect(idsOf([...files, ...logs, tail], latest)).toEqual(['f2', 'l4']);
    const plan = planRestore([...files, l1, l2, l3, tail], latest);
    expect(plan.steps.map((step) => step.backup)).toEqual(['f2', 'lt']);
    expect(plan.notes.join()).toContain('Copy-only logs go on');
  });

  it('2.6 a plan that stops short says where, what is missing, and what can be had', () => {
    const plan = planRestore([f1, l1, l3, l4, f2], at(125));
    expect(plan).toMatchObject({
      reachesTarget: false,
      lastReachable: { position: '105', at: restorableTime(105) },
      gap: { from: { position: '105' }, to: { position: '118' } },
      neighbours: { before: restorableTime(105), after: restorableTime(140) },
    });
    expect(plan.steps.map((step) => step.backup)).toEqual(['f1', 'l1']);
  });

  it('2.6 a gap before the newest log is named', () => {
    const plan = planRestore([f1, l1, l4], latest);
    expect(plan).toMatchObject({
      reachesTarget: false,
      gap: { from: { position: '105' }, to: { position: '135' } },
    });
  });

  it('2.7 lists what each step needs, the bytes and the keys', () => {
    const keyed = all.map((one) => ({ ...one, keyIds: one.backup === 'f1' ? ['k1', 'k2'] : ['k2'] }));
    const plan = planRestore(keyed, at(125));
    expect(plan.steps[0]).toMatchObject({
      needs: [
        { backup: 'f1', bytes: 10, present: true },
        { backup: 'i1', bytes: 1, present: true },
        { backup: 'i2', bytes: 1, present: true },
      ],
      bytes: 12,
      keyIds: ['k1', 'k2'],
      present: true,
    });
    expect(plan).toMatchObject({ bytes: 22, keyIds: ['k1', 'k2'] });
    expect(plan.steps.at(-1)?.stopAt).toBe(restorableTime(125));
  });

  it('damaged and missing backups are passed over, with what needs them', () => {
    const hurt = files.map((one) => (one.backup === 'i1' ? { ...one, state: 'damaged' as const } : one));
    const plan = planRestore(hurt, at(125), { noCopyOnly: true });
    expect(plan.steps.map((step) => step.backup)).toEqual(['f1']);
    expect(plan.notes).toContain('i2 is passed over: i1, which it needs, is not usable.');
    expect(
      idsOf(
        files.filter((one) => one.backup !== 'i1'),
        at(125),
        { noCopyOnly: true },
      ),
    ).toEqual(['f1']);
  });

  it('an expired backup is no restore point, but serves those that need it', () => {
    const expired = files.map((one) => (one.backup === 'f1' ? { ...one, state: 'expired' as const } : one));
    expect(idsOf(expired, at(112))).toEqual(['i1']);
    expect(idsOf(expired, at(105))).toEqual([]);
  });

  it('a damaged log is a gap', () => {
    const plan = planRestore([f1, l1, { ...l2, state: 'damaged' }, l3], latest);
    expect(plan).toMatchObject({ reachesTarget: false, lastReachable: { position: '105' } });
    expect(plan.notes).toContain('The log l2 is not used: it is damaged.');
  });

  it('10 000 backups in chains of 400 are planned', () => {
    const many: RestorableBackup[] = [];
    let chain: string[] = [];
    for (let index = 0; index < 10_000; index += 1) {
      if (index % 400 === 0) chain = [];
      const name = `${chain.length === 0 ? 'f' : 'i'}${index}`;
      many.push(restorable(name, index, { closure: [...chain] }));
      chain = [...chain, name];
    }
    const plan = planRestore(many, at(7_777));
    expect(plan.steps).toHaveLength(1);
    expect(plan.steps[0]).toMatchObject({ backup: 'i7777' });
    expect(plan.steps[0]?.needs).toHaveLength(7_777 - 7_600 + 1);
  });
});

describe('copies in several repositories, rules.md 2.7', () => {
  const copyOf = (one: RestorableBackup, fields: Partial<RestorableBackup> = {}) => ({
    ...one,
    backup: `${one.backup}-copy`,
    repository: 'offsite',
    closure: one.closure.map((id) => `${id}-copy`),
    ...fields,
  });

  it('the cheaper one is taken', () => {
    const both = [f1, copyOf(f1)];
    expect(idsOf(both, latest)).toEqual(['f1']);
    expect(idsOf(both, latest, { repositories: [{ name: 'vault', cost: 5 }, { name: 'offsite' }] })).toEqual([
      'f1-copy',
    ]);
  });

  it('a full composed at the target stands for the incremental it was copied from', () => {
    const composed = copyOf(i2, { type: 'full', closure: [], bytes: 5 });
    expect(idsOf([f1, i1, i2, composed], latest)).toEqual(['i2-copy']);
  });

  it('what cannot be reached, or lacks a key, is taken from the other', () => {
    const both = [f1, i1, copyOf(f1), copyOf(i1)];
    const offline = { repositories: [{ name: 'vault', reachable: false }, { name: 'offsite' }] };
    expect(idsOf(both, latest, offline)).toEqual(['i1-copy']);
    const keyed = both.map((one) => ({ ...one, keyIds: [one.repository] }));
    const held = { repositories: [{ name: 'vault', keysHeld: new Set(['offsite']) }] };
    expect(idsOf(keyed, latest, held)).toEqual(['i1-copy']);
    const none = planRestore([f1], latest, { repositories: [{ name: 'vault', reachable: false }] });
    expect(none).toMatchObject({ reachesTarget: false, steps: [], lastReachable: null });
    expect(none.notes.join()).toContain('vault cannot be reached');
  });

  it('a log that is damaged here is taken from there', () => {
    const plan = planRestore([f1, { ...l1, state: 'missing' }, copyOf(l1)], latest);
    expect(plan.steps.map((step) => step.repository)).toEqual(['vault', 'offsite']);
  });

  it('snapshot numbers of two collections do not compare: time does', () => {
    const other = restorable('f9', 9, { repository: 'offsite', asOf: restorableTime(500) });
    expect(idsOf([...files, other], latest)).toEqual(['f9']);
    expect(idsOf([...files, other], at(125))).toEqual(['i2']);
  });
});

describe('forks and marks, rules.md 2.1', () => {
  const on = (fork: string, one: RestorableBackup) => ({ ...one, fork });
  const forks = new Map([['B', { parent: 'A', at: '125' }]]);
  // Restored at minute 200 to position 125; what A has after 125 is not on the way to B.
  const old = [f1, i1, i2, l1, l2, l3].map((one) => on('A', one));
  const young = [
    on('B', restorableLog('x1', 118, 128, { asOf: restorableTime(210) })),
    on('B', restorable('fb', 127, { asOf: restorableTime(205) })),
  ];

  it('the newest fork by time owns the newest state, though its positions are lower', () => {
    expect(idsOf([...old, ...young], latest, { forks })).toEqual(['fb', 'x1']);
  });

  it('the way to it is the old branch up to the fork point, then the new one', () => {
    expect(idsOf([...old, young[0]!], latest, { forks })).toEqual(['i2', 'x1']);
  });

  describe('when the old server went on beyond the fork point for a while', () => {
    const next = on('B', restorableLog('x2', 125, 128, { asOf: restorableTime(210) }));
    const history = [...old, next];

    it('its last log leads up to there, and the new branch goes on', () => {
      expect(planRestore(history, latest, { forks })).toMatchObject({
        reachesTarget: true,
        steps: [{ backup: 'i2' }, { backup: 'l3' }, { backup: 'x2' }],
        notes: [],
      });
      expect(idsOf(history, at(205), { forks })).toEqual(['i2', 'l3', 'x2']);
    });

    it('a position before the fork point is reached in it', () => {
      const plan = planRestore(history, { kind: 'position', position: '123' }, { forks });
      expect(plan.steps.map((step) => step.backup)).toEqual(['i2', 'l3']);
      expect(plan.reachesTarget).toBe(true);
    });

    it('it is never rolled to its end, which is of another branch', () => {
      const late = on('B', restorableLog('x3', 126, 130, { asOf: restorableTime(211) }));
      const plan = planRestore([...old, late], latest, { forks });
      expect(plan.steps.map((step) => step.backup)).toEqual(['i2']);
      expect(plan).toMatchObject({ reachesTarget: false, gap: { to: { position: '126' } } });
    });
  });

  it('a time before the switch lies on the old branch', () => {
    expect(idsOf([...old, ...young], at(133), { forks })).toEqual(['i2', 'l3']);
  });

  it('another family at the same address is never mixed in', () => {
    const stranger = { ...f2, family: 'family-2' };
    expect(idsOf([f1, i1, stranger], latest)).toEqual(['f2']);
    expect(idsOf([f1, i1, stranger], at(105))).toEqual(['f1']);
  });

  const marked = { ...l3, marks: [{ name: 'release', at: restorableTime(128), position: '128' }] };
  const earlier = { ...l2, marks: [{ name: 'release', at: restorableTime(112), position: '112' }] };

  it('a mark is a target: the newest of its name, or the first after a time', () => {
    const history = [f1, i1, l1, earlier, marked];
    const newest = planRestore(history, { kind: 'mark', mark: 'release' });
    expect(newest.steps.map((step) => step.backup)).toEqual(['i1', 'l2', 'l3']);
    expect(newest.steps.at(-1)?.stopAt).toBe('mark release');
    const first = { kind: 'mark', mark: 'release', before: true, after: restorableTime(111) } as const;
    expect(planRestore(history, first).steps.at(-1)).toMatchObject({
      backup: 'l2',
      stopAt: 'before mark release',
    });
  });

  it('tablespaces that the log creates are said, where the restore comes to them', () => {
    const made = [
      { path: '/early', position: '119', lsn: '0/77' },
      { path: '/fast', position: '128', lsn: '0/80' },
    ];
    const history = [f1, i1, i2, l1, l2, { ...l3, tablespaces: made }];
    const said = (target: RestoreTarget) => planRestore(history, target).notes.join('\n');
    expect(said(at(130))).toContain("creates a tablespace at '/fast' (at 0/80)");
    expect(said(at(130))).not.toContain('/early');
    expect(said({ kind: 'position', position: '128' })).not.toContain('/fast');
    expect(said({ kind: 'position', position: '129' })).toContain('/fast');
    expect(said(at(115))).not.toContain('/fast');
  });

  it('tablespaces that were created while a data backup ran are said of it, once', () => {
    const made = [{ path: '/fast', position: '99', lsn: '0/63' }];
    const history = [
      { ...f1, start: '98', tablespaces: made },
      { ...l1, start: '98', tablespaces: made },
    ];
    const { notes } = planRestore(history, { kind: 'latest' });
    expect(notes.filter((note) => note.includes('/fast'))).toEqual([
      expect.stringContaining("The log in f1 creates a tablespace at '/fast' (at 0/63)"),
    ]);
  });

  const listed = all.map((one) => (one.type === 'log' ? { ...one, marks: [], transactions: [] } : one));

  it('a mark that nobody made is refused by name, and so is a transaction', () => {
    expect(() => planRestore(listed, { kind: 'mark', mark: 'never' })).toThrow(
      expect.objectContaining({ code: 'chain.mark-unknown' }),
    );
    expect(() => planRestore(listed, { kind: 'transaction', transaction: '733' })).toThrow(
      expect.objectContaining({ code: 'chain.transaction-unknown' }),
    );
  });

  it('where a mark lies is said, so that another of its name before it is not taken', () => {
    expect(planRestore([f1, earlier, marked], { kind: 'mark', mark: 'release' }).markAt).toBe('128');
    expect(planRestore([f1, l1], latest)).not.toHaveProperty('markAt');
  });

  it('a mark of a branch that was left is found there', () => {
    const lost = on('A', { ...l3, marks: [{ name: 'lost', at: restorableTime(129), position: '129' }] });
    const history = [...old.filter(({ backup }) => backup !== 'l3'), lost, ...young];
    const plan = planRestore(history, { kind: 'mark', mark: 'lost' }, { forks });
    expect(plan.steps.map((step) => step.backup)).toEqual(['i2', 'l3']);
    expect(plan).toMatchObject({ reachesTarget: true, markAt: '129' });
  });

  describe('a transaction older than the newest data backup', () => {
    const asks = (transaction: string) => ({ kind: 'transaction', transaction }) as const;
    const told = [
      { ...l1, transactions: [[700, 740]] as const },
      { ...l2, transactions: [[741, 800]] as const },
      {
        ...l3,
        transactions: [
          [600, 600],
          [801, 900],
        ] as const,
      },
    ];
    const history = [f1, i1, i2, ...told];

    it('is looked for from the newest data backup before the log that may hold it', () => {
      expect(idsOf(history, asks('720'))).toEqual(['f1', 'l1']);
      expect(idsOf(history, asks('750'))).toEqual(['f1', 'l1', 'l2']);
      expect(idsOf(history, asks('600'))).toEqual(['i1', 'l2', 'l3']);
    });

    it('with an epoch it is the same', () => {
      expect(idsOf(history, asks(((7n << 32n) + 850n).toString()))).toEqual(['i1', 'l2', 'l3']);
    });

    it('when logs do not say what they hold it is looked for in those as well', () => {
      const silent = { ...l1, transactions: undefined };
      expect(idsOf([f1, i1, i2, silent, told[1]!, told[2]!], asks('850'))).toEqual(['f1', 'l1', 'l2', 'l3']);
    });

    it('in the log that a chain began with it is looked for after the data backup that began it', () => {
      const first = restorableLog('l0', 95, 105, { transactions: [[650, 699]] });
      expect(idsOf([f1, first, ...told], asks('660'))[0]).toBe('f1');
    });
  });
});

describe('whatever was lost', () => {
  const states = fc.constantFrom(
    'usable' as const,
    'usable' as const,
    'damaged' as const,
    'missing' as const,
    'expired' as const,
  );
  const histories = fc
    .array(fc.tuple(fc.constantFrom('f', 'i', 'd', 'c', 'l'), states), { maxLength: 30 })
    .map((kinds) => {
      const backups: RestorableBackup[] = [];
      let chain: string[] = [];
      let archive = 0;
      kinds.forEach(([kind, state], index) => {
        const end = (index + 1) * 10;
        const id = `${kind}${index}`;
        if (kind === 'l') {
          backups.push(restorableLog(id, archive, end, { state: state === 'expired' ? 'usable' : state }));
          archive = end;
        } else {
          const closure = kind === 'i' ? [...chain] : kind === 'd' ? chain.slice(0, 1) : [];
          backups.push(restorable(id, end, { closure, state }));
          if (kind === 'f') chain = [id];
          else if (kind !== 'c') chain = [...closure, id];
        }
      });
      return backups;
    });

  it('every step is there with all it needs, and no step leaves a gap', () => {
    fc.assert(
      fc.property(histories, fc.nat(320), (backups, minute) => {
        const plan = planRestore(backups, at(minute));
        let place: number | undefined;
        for (const step of plan.steps) {
          expect(step.present).toBe(true);
          expect(step.needs.every((need) => need.present)).toBe(true);
          const one = backups.find((backup) => backup.backup === step.backup);
          if (one?.type === 'log') expect(Number(one.start)).toBeLessThanOrEqual(place ?? -1);
          place = Number(one?.position);
        }
        expect(plan.lastReachable?.position).toBe(place === undefined ? undefined : String(place));
        if (plan.reachesTarget) expect(place ?? -1).toBeGreaterThanOrEqual(minute);
        else if (plan.steps.length > 0) expect(plan.gap).not.toBeNull();
      }),
    );
  });

  it('a plan reaches the target whenever any choice of backups does', () => {
    fc.assert(
      fc.property(histories, fc.nat(320), (backups, minute) => {
        const states = new Map(backups.map((one) => [one.backup, one.state]));
        const starts = backups.filter(
          (one) =>
            one.type !== 'log' &&
            one.state === 'usable' &&
            Number(one.position) <= minute &&
            one.closure.every((id) => ['usable', 'expired'].includes(states.get(id) ?? '')),
        );
        const reach = (from: number): number => {
          const next = backups.filter(
            (one) =>
              one.type === 'log' &&
              one.state === 'usable' &&
              Number(one.start) <= from &&
              Number(one.position) > from,
          );
          return Math.max(from, ...next.map((one) => reach(Number(one.position))));
        };
        const reachable = starts.some(
          (one) => Number(one.position) === minute || reach(Number(one.position)) >= minute,
        );
        expect(planRestore(backups, at(minute)).reachesTarget).toBe(reachable);
      }),
    );
  });
});
