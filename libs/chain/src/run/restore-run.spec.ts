import type { RestoreStop, RunRequest } from '@catena/events';
import { describe, expect, it } from '@jest/globals';
import { markUnusable } from '../collection/settle-plan.ts';
import { CatalogStory, storyRepository, storySource } from '../testing/index.ts';

/** bkp-f ends at 110, bkp-l1 covers (105, 120], bkp-i ends at 130, bkp-l2 covers (120, 140]; a minute after each other. */
function withLogs(): CatalogStory {
  const story = new CatalogStory();
  story.keepsLog = true;
  story.take('run-f', 'full');
  story.take('run-l1', 'log');
  story.take('run-i', 'incremental');
  story.take('run-l2', 'log');
  return story;
}

function minute(count: number, seconds = 0): string {
  return new Date(Date.UTC(2026, 0, 1, 0, count, seconds)).toISOString();
}

type Asked = Partial<Extract<RunRequest, { kind: 'restore' }>>;

function planned(story: CatalogStory, asked: Asked) {
  const decision = story.askFor('run-r', {
    kind: 'restore',
    repository: storyRepository.name,
    target: '/t',
    include: [],
    overwrite: false,
    ...asked,
  });
  if (decision.kind !== 'append') throw new Error(`not decided: ${decision.kind}`);
  const [event] = decision.events;
  if (event?.type === 'run.planned') return { plan: event.data.plan, events: decision.events };
  if (event?.type === 'run.refused') return { failure: event.data.failure };
  throw new Error(`not planned: ${event?.type}`);
}

const source = storySource.name;

describe('a restore to a place in the history of a source, rules.md section 2', () => {
  it.each<[string, Asked, { backup: string; logs?: string[]; stop?: RestoreStop }]>([
    [
      'the newest state: the newest data backup, then the logs after it',
      { source },
      { backup: 'bkp-i', logs: ['bkp-l2'] },
    ],
    [
      'a time between backups: the newest data backup before it, and the log that holds it',
      { source, until: { at: minute(1, 30) } },
      { backup: 'bkp-f', logs: ['bkp-l1'], stop: { at: minute(1, 30) } },
    ],
    ['the very end of a data backup needs no log', { source, until: { at: minute(3) } }, { backup: 'bkp-i' }],
    [
      'a position',
      { source, until: { position: '135' } },
      { backup: 'bkp-i', logs: ['bkp-l2'], stop: { position: '135' } },
    ],
    [
      'a mark is looked for in all logs when they do not say what they hold',
      { source, until: { mark: 'before the upgrade' } },
      { backup: 'bkp-f', logs: ['bkp-l1', 'bkp-l2'], stop: { mark: 'before the upgrade' } },
    ],
    [
      'or after the data backup that is named',
      { backup: 'bkp-f', until: { transaction: '733' } },
      { backup: 'bkp-f', logs: ['bkp-l1', 'bkp-l2'], stop: { transaction: '733' } },
    ],
    ['a backup alone is that backup', { backup: 'bkp-f' }, { backup: 'bkp-f' }],
  ])('%s', (_rule, asked, expected) => {
    const { plan } = planned(withLogs(), asked);
    expect(plan).toEqual(expect.objectContaining({ kind: 'restore', ...expected }));
    for (const absent of ['logs', 'stop'] as const)
      if (!(absent in expected)) expect(plan).not.toHaveProperty(absent);
  });

  it('everything that is read is in use from the plan on', () => {
    expect(planned(withLogs(), { source }).events).toContainEqual(
      expect.objectContaining({
        type: 'collection.backups-in-use',
        data: { run: 'run-r', backups: ['bkp-i', 'bkp-l2'] },
      }),
    );
  });

  it('2.6 a time after the last log is refused, with what can be reached and how to get further', () => {
    const { failure } = planned(withLogs(), { source, until: { at: minute(9) } });
    expect(failure).toMatchObject({
      code: 'chain.target-out-of-reach',
      message: expect.stringContaining(`reach ${minute(4)}`),
      remedy: expect.stringContaining('--nearest'),
    });
  });

  it('2.2 unless the nearest will do: then all of it, without a place to stop', () => {
    const { plan } = planned(withLogs(), { source, until: { at: minute(9) }, nearest: true });
    expect(plan).toMatchObject({ backup: 'bkp-i', logs: ['bkp-l2'] });
    expect(plan).not.toHaveProperty('stop');
  });

  it('2.6 a gap in the log is refused, never a silently shorter plan', () => {
    const story = withLogs();
    story.append(...markUnusable(story.collection, 'bkp-l1', 'damaged'));
    expect(planned(story, { source, until: { at: minute(1, 30) } }).failure).toMatchObject({
      code: 'chain.target-out-of-reach',
    });
  });

  it('of a source without a log the nearest before the time is what it means', () => {
    const story = new CatalogStory();
    story.take('run-f', 'full');
    const { plan } = planned(story, { source, until: { at: minute(5) } });
    expect(plan).toMatchObject({ backup: 'bkp-f' });
  });

  it('before everything is refused with the first time that can be had', () => {
    expect(planned(withLogs(), { source, until: { at: minute(0, 30) } }).failure).toMatchObject({
      code: 'chain.nothing-before',
      remedy: expect.stringContaining(minute(1)),
    });
  });

  it('a source that has no backup there is refused', () => {
    expect(planned(withLogs(), {}).failure).toMatchObject({ code: 'chain.nothing-to-restore' });
    expect(planned(new CatalogStory(), { source }).failure).toMatchObject({
      code: 'chain.nothing-to-restore',
      message: expect.stringContaining(source),
    });
  });
});
