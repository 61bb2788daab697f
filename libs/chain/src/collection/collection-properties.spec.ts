import { describe, expect, it } from '@jest/globals';
import type { BackupPlan } from '@catena/events';
import fc from 'fast-check';
import { CatalogStory, finalFailure, passingFailure } from '../testing/index.ts';
import { evolveCollection, evolveCollectionWith } from './collection-state.ts';
import { markUnusable } from './settle-plan.ts';
import { standingOf } from './usable.ts';

type Step =
  | { do: 'ask'; type: 'full' | 'differential' | 'incremental'; copyOnly: boolean }
  | { do: 'complete' | 'fail' | 'retry' | 'repeat' | 'damage'; pick: number };

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('ask' as const),
        type: fc.constantFrom('full' as const, 'differential' as const, 'incremental' as const),
        copyOnly: fc.boolean(),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom(
          'complete' as const,
          'complete' as const,
          'fail' as const,
          'retry' as const,
          'repeat' as const,
          'damage' as const,
        ),
        pick: fc.nat(20),
      }),
    },
  ),
  { maxLength: 40 },
);

/** Plays the steps; waiting runs are planned as soon as they may. */
function play(list: readonly Step[], copyOnly: 'with' | 'without'): CatalogStory {
  const story = new CatalogStory();
  list.forEach((step, index) => {
    if (step.do === 'ask') {
      if (step.copyOnly && step.type === 'full' && copyOnly === 'without') return;
      story.ask(`run-${index}`, { type: step.type, copyOnly: step.copyOnly && step.type !== 'incremental' });
    } else {
      disturb(story, step);
    }
    for (const [run, state] of story.runs) if (state.phase === 'requested') story.plan(run);
  });
  return story;
}

function disturb(story: CatalogStory, step: Extract<Step, { pick: number }>): void {
  const open = [...story.runs].filter(
    ([, run]) => run.plan !== undefined && ['planned', 'running', 'waitingForRetry'].includes(run.phase),
  );
  const conventional = open.filter(([, run]) => run.plan?.kind === 'backup' && !run.plan.copyOnly);
  const [run] =
    (step.pick % 2 === 0 ? conventional : open)[
      step.pick % Math.max(1, (step.pick % 2 === 0 ? conventional : open).length)
    ] ?? [];
  if (step.do === 'damage') {
    const backups = [...story.collection.backups.values()].filter((one) => !one.copyOnly);
    const backup = backups[step.pick % Math.max(1, backups.length)];
    if (backup) story.append(...markUnusable(story.collection, backup.backup, 'damaged'));
  } else if (step.do === 'repeat') {
    const last = story.events.at(-1);
    if (last?.type.startsWith('collection.')) story.append(last);
  } else if (run !== undefined) {
    if (step.do === 'complete') story.complete(run);
    else {
      if (story.run(run).phase !== 'running') story.claim(run);
      story.report(run, { kind: 'failed', failure: step.do === 'fail' ? finalFailure : passingFailure });
    }
  }
}

/** What a plan binds to, without the numbers that everything moves. */
function bindings(story: CatalogStory): Pick<BackupPlan, 'type' | 'parent' | 'base' | 'chain'>[] {
  return [...story.runs.values()].flatMap(({ plan }) =>
    plan?.kind === 'backup' && !plan.copyOnly
      ? [{ type: plan.type, parent: plan.parent, base: plan.base, chain: plan.chain }]
      : [],
  );
}

describe('whatever the order of events', () => {
  it('every plan binds to what was usable, and no chain has a gap that nothing names', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const story = play(list, 'with');
        for (const backup of story.collection.backups.values()) {
          for (const needed of [backup.parent, backup.base]) {
            if (needed === undefined) continue;
            expect(story.collection.backups.has(needed)).toBe(true);
            expect(backup.closure).toContain(needed);
            expect(story.collection.backups.get(needed)?.copyOnly).toBe(false);
          }
          const gap = backup.closure.find((one) => story.collection.unusable.has(one));
          const standing = standingOf(story.collection, backup.backup);
          if (gap !== undefined) expect(standing).toMatchObject({ usable: false, reason: 'damaged' });
        }
      }),
    );
  });

  it('no two data backups claim one parent at a time, and none is planned twice', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const story = play(list, 'with');
        const open = [...story.collection.planned.values()].filter((one) => !one.copyOnly);
        expect(open.length).toBeLessThanOrEqual(1);
        const positions = story.events.flatMap((event) =>
          event.type === 'collection.backup-planned' ? [`${event.data.position} ${event.data.run}`] : [],
        );
        expect(new Set(positions.map((one) => one.split(' ')[0])).size).toBe(new Set(positions).size);
      }),
    );
  });

  it('a copy-only backup never changes a later plan', () => {
    const complete = fc.record({ do: fc.constant('complete' as const), pick: fc.constant(0) });
    const calm = fc.array(
      fc.oneof(
        fc.record({
          do: fc.constant('ask' as const),
          type: fc.constantFrom('full' as const, 'differential' as const, 'incremental' as const),
          copyOnly: fc.constant(false),
        }),
        fc.record({
          do: fc.constant('ask' as const),
          type: fc.constant('full' as const),
          copyOnly: fc.constant(true),
        }),
        complete,
        fc.record({
          do: fc.constantFrom('fail' as const, 'damage' as const),
          pick: fc.nat(10).map((n) => n * 2),
        }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(calm, (list) => {
        expect(bindings(play(list, 'with'))).toEqual(bindings(play(list, 'without')));
      }),
    );
  });

  it('a retried event changes nothing', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (list, pick) => {
        const { collection, events } = play(list, 'with');
        const ours = events.filter((event) => event.aggregateId === collection.collection);
        const last = ours.at(-1);
        if (last === undefined) return;
        expect(evolveCollection(collection, last)).toEqual(collection);
        const completions = ours.filter((event) => event.type === 'collection.backup-completed');
        const again = completions[pick % Math.max(1, completions.length)];
        if (again) expect(evolveCollection(collection, again)).toEqual(collection);
      }),
    );
  });

  it('folding at once and one by one is the same', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { collection, events } = play(list, 'with');
        const fresh = { ...new CatalogStory().collection };
        const ours = events.filter((event) => event.aggregateId === collection.collection);
        expect(evolveCollectionWith(fresh, ours)).toEqual(collection);
      }),
    );
  });
});
