import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { planLayers, type BackupLayer } from './plan-layers.ts';

function layer(id: string, start: number, end: number, fields: Partial<BackupLayer> = {}): BackupLayer {
  return { id, start: String(start), end: String(end), ...fields };
}

const full = layer('full', 0, 10);
const inc1 = layer('inc1', 10, 20);
const inc2 = layer('inc2', 20, 30);
const inc3 = layer('inc3', 30, 40);
const compacted = layer('compacted', 10, 30);
const chain = [full, inc1, inc2, inc3];

function idsOf(layers: readonly BackupLayer[], target?: number): string[] | string {
  const plan = planLayers(layers, target === undefined ? undefined : String(target));
  return plan.reachesTarget ? plan.steps.map((one) => one.id) : plan.problem.code;
}

describe('layers of intervals, cockroachdb.md', () => {
  it.each<[string, BackupLayer[], number | undefined, string[] | string]>([
    [
      'F11 an incremental starts where the layer before ends',
      chain,
      undefined,
      ['full', 'inc1', 'inc2', 'inc3'],
    ],
    [
      'F15 a layer that ends where it starts holds nothing',
      [full, layer('empty', 10, 10), inc1],
      undefined,
      ['full', 'inc1'],
    ],
    ['F66 no time: the newest end', chain, undefined, ['full', 'inc1', 'inc2', 'inc3']],
    ['F66 an end is always fine', chain, 20, ['full', 'inc1']],
    ['F66 the end of the full', chain, 10, ['full']],
    ['F66 inside a layer without revisions', chain, 25, 'layers.no-revisions'],
    [
      'F66 inside a layer with revisions',
      [full, inc1, { ...inc2, revisions: true }],
      25,
      ['full', 'inc1', 'inc2'],
    ],
    [
      'F16 a full with revisions serves times after they begin',
      [{ ...full, revisions: true, revisionStart: '4' }],
      5,
      ['full'],
    ],
    [
      'F66 at or before the begin of the revisions',
      [{ ...full, revisions: true, revisionStart: '4' }],
      4,
      'layers.before-revisions',
    ],
    ['F66 after the last end', chain, 41, 'layers.not-covered'],
    ['F67 of equal ends the earliest start', [...chain, compacted], 30, ['full', 'compacted']],
    ['F67 layers between are dropped', [...chain, compacted], undefined, ['full', 'compacted', 'inc3']],
    [
      'F61 the original layers stay, so a time inside the compacted one is had from them',
      [...chain, compacted],
      20,
      ['full', 'inc1'],
    ],
    ['F67 every end must meet the next start', [full, inc2, inc3], undefined, 'layers.not-continuous'],
    [
      'F67 a compacted layer bridges what is missing',
      [full, compacted, inc3],
      undefined,
      ['full', 'compacted', 'inc3'],
    ],
    [
      'where the earliest start breaks off a later one is tried',
      [full, inc1, inc2, layer('broken', 5, 30)],
      undefined,
      ['full', 'inc1', 'inc2'],
    ],
    ['F62 an incremental alone is nothing', [inc1], undefined, 'layers.not-continuous'],
    ['no layer at all', [], undefined, 'layers.none'],
  ])('%s', (_rule, layers, target, expected) => {
    expect(idsOf(layers, target)).toEqual(expected);
    expect(idsOf([...layers].reverse(), target)).toEqual(expected);
  });

  it('F66 names the ends around a time that cannot be had', () => {
    expect(planLayers(chain, '25')).toMatchObject({ problem: { before: '20', after: '30' } });
    expect(planLayers(chain, '99')).toMatchObject({ problem: { before: '40', after: null } });
  });

  it('F67 names the interval that is missing', () => {
    expect(planLayers([full, inc2, inc3])).toMatchObject({ problem: { gap: { from: '10', to: '20' } } });
    expect(planLayers([inc2])).toMatchObject({ problem: { gap: { from: '0', to: '20' } } });
  });

  it('says where to stop inside the last layer', () => {
    expect(planLayers([full, { ...inc1, revisions: true }], '15')).toMatchObject({ stopAt: '15' });
    expect(planLayers([full, inc1], '20')).toMatchObject({ stopAt: null });
  });

  it('a differential is a layer that starts at the end of the full', () => {
    const layers = [full, inc1, inc2, layer('diff', 10, 35)];
    expect(idsOf(layers, 35)).toEqual(['full', 'diff']);
  });

  it('positions of 25 digits are exact', () => {
    const big = (n: number) => (10n ** 24n + BigInt(n)).toString();
    const layers = [
      { id: 'a', start: '0', end: big(1) },
      { id: 'b', start: big(1), end: big(2) },
      { id: 'x', start: big(0), end: big(2) },
    ];
    expect(planLayers(layers)).toMatchObject({ steps: [{ id: 'a' }, { id: 'b' }] });
  });

  it('finds a way whenever there is one, and its ends meet', () => {
    const intervals = fc.array(
      fc
        .tuple(fc.nat(8), fc.integer({ min: 1, max: 6 }))
        .map(([start, length]) => layer(`${start}+${length}`, start, start + length)),
      { maxLength: 14 },
    );
    fc.assert(
      fc.property(intervals, fc.integer({ min: 1, max: 14 }), (layers, target) => {
        const reachable = (end: number): boolean =>
          end === 0 || layers.some((one) => Number(one.end) === end && reachable(Number(one.start)));
        const plan = planLayers(layers, String(target));
        expect(plan.reachesTarget).toBe(reachable(target));
        if (!plan.reachesTarget) return;
        expect(plan.steps[0]?.start).toBe('0');
        expect(plan.steps.at(-1)?.end).toBe(String(target));
        plan.steps.slice(1).forEach((one, index) => expect(one.start).toBe(plan.steps[index]?.end));
      }),
    );
  });
});
