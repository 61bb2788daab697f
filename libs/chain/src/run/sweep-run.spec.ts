import { describe, expect, it } from '@jest/globals';
import { storyRepository } from '../testing/index.ts';
import { planPrune } from './prune-run.ts';
import { planSweep, SWEEP_GRACE, sweepDetail } from './sweep-run.ts';

const request = { kind: 'sweep', repository: 'vault', dryRun: false } as const;
const withAccess = (access: string) => ({ ...storyRepository, spec: { ...storyRepository.spec, access } });

describe('a sweep', () => {
  it('is planned with a day of grace unless another is asked for', () => {
    expect(planSweep(request, storyRepository)).toEqual({
      plan: { kind: 'sweep', repository: storyRepository, dryRun: false, grace: SWEEP_GRACE },
    });
    expect(planSweep({ ...request, grace: 5 }, storyRepository)).toMatchObject({ plan: { grace: 5 } });
  });

  it.each([
    ['external', 'chain.repository-external'],
    ['appendOnly', 'chain.repository-append-only'],
  ])('is refused where access is %s, but may look; so is a prune', (access, code) => {
    expect(planSweep(request, withAccess(access))).toMatchObject({ failure: { code, retryable: false } });
    expect(planSweep({ ...request, dryRun: true }, withAccess(access))).toMatchObject({
      plan: { dryRun: true },
    });
  });

  it('says in its detail what it removed', () => {
    const plan = { kind: 'sweep', repository: storyRepository, dryRun: true, grace: 0 } as const;
    const nothing = {
      objects: 0,
      bytes: 0,
      runs: [],
      left: [],
      unsure: [],
      unfinished: { objects: 0, bytes: 0 },
    };
    expect(sweepDetail(plan, nothing)).toEqual({ dryRun: true, ...nothing });
  });
});

describe('a prune of an append-only repository', () => {
  it('is refused by name, with the remedy', () => {
    const collection = {
      collection: 'c',
      place: { repositoryUid: storyRepository.uid, repository: 'vault', source: 's', sourceUid: 'u' },
    };
    const planned = planPrune(
      { kind: 'prune', repository: 'vault', collection: 'c' },
      withAccess('appendOnly'),
      [collection as never],
    );
    expect(planned).toMatchObject({
      failure: {
        code: 'chain.repository-append-only',
        remedy: expect.stringContaining('access: readWrite') as unknown,
      },
    });
  });
});
