import { describe, expect, it } from '@jest/globals';
import type { AnyDomainEvent } from '@catena/events';
import fc from 'fast-check';
import { evolveCollectionWith, type CollectedBackup } from '../collection/collection-state.ts';
import { markUnusable } from '../collection/settle-plan.ts';
import { standingOf } from '../collection/usable.ts';
import { CatalogStory } from '../testing/index.ts';
import { disagreeingClocks } from './clocks-agree.ts';
import {
  decideExpiry,
  pinBackup,
  recordDeleted,
  undoExpiry,
  unpinBackup,
  type ExpiryFacts,
} from './decide-expiry.ts';
import { readRetentionPolicy } from './read-policy.ts';
import { ZoneCalendar } from './zone-calendar.ts';

const calendar = new ZoneCalendar();
const NOW = Date.UTC(2026, 0, 2);

function factsOf(policy: object | undefined, held: readonly string[] = []): ExpiryFacts {
  return {
    policy: policy === undefined ? undefined : readRetentionPolicy(policy),
    isManual: () => false,
    holdsOf: (backup: CollectedBackup) => (held.includes(backup.backup) ? ['lease of copy offsite'] : []),
  };
}

function chains(): CatalogStory {
  const story = new CatalogStory();
  story.take('run-f1', 'full');
  story.take('run-i1', 'incremental');
  story.take('run-i2', 'incremental');
  story.take('run-f2', 'full');
  story.take('run-i3', 'incremental');
  return story;
}

function said(events: readonly AnyDomainEvent[]): string[] {
  return events.map((event) => {
    const data = event.data as { backup: string; reason?: string };
    return `${data.backup} ${data.reason ?? event.type}`;
  });
}

function decide(story: CatalogStory, facts: ExpiryFacts, now = NOW): string[] {
  const events = decideExpiry(story.collection, facts, { now, calendar });
  story.append(...events);
  return said(events);
}

describe('expiry in the collection, rules.md 5.4', () => {
  it('without a policy nothing expires', () => {
    expect(decide(chains(), factsOf(undefined))).toEqual([]);
  });

  it('expires with the rule in the event, and condemns what nothing needs', () => {
    const story = chains();
    expect(decide(story, factsOf({ keep: { last: 2 } }))).toEqual([
      'bkp-i2 expired',
      'bkp-i1 expired',
      'bkp-f1 expired',
      'bkp-f1 condemned',
      'bkp-i1 condemned',
      'bkp-i2 condemned',
    ]);
    expect(story.events.find((event) => event.type === 'collection.backup-unusable')).toMatchObject({
      data: { because: 'no rule of keep wants it' },
    });
  });

  it('retains what a kept backup needs', () => {
    const story = chains();
    expect(decide(story, factsOf({ keep: { last: 3 } }))).toEqual(['bkp-i1 expired', 'bkp-f1 expired']);
    expect(standingOf(story.collection, 'bkp-i2').usable).toBe(true);
    expect(decide(story, factsOf({ keep: { last: 2 } }))).toEqual([
      'bkp-i2 expired',
      'bkp-f1 condemned',
      'bkp-i1 condemned',
      'bkp-i2 condemned',
    ]);
  });

  it('deciding again appends nothing', () => {
    const story = chains();
    decide(story, factsOf({ keep: { last: 1 } }));
    expect(decide(story, factsOf({ keep: { last: 1 } }))).toEqual([]);
  });

  it('condemns only after the grace, in which a person can undo it', () => {
    const story = chains();
    const facts = factsOf({ keep: { last: 2 }, grace: '3d' });
    expect(decide(story, facts)).toEqual(['bkp-i2 expired', 'bkp-i1 expired', 'bkp-f1 expired']);
    const undone = undoExpiry(story.collection, 'bkp-i1', '2026-01-05T00:00:00.000Z');
    if (undone.accepted) story.append(...undone.events);
    expect(standingOf(story.collection, 'bkp-i1').usable).toBe(true);
    expect(undoExpiry(story.collection, 'bkp-i1', '2026-01-05T00:00:00.000Z')).toEqual({
      accepted: true,
      events: [],
    });
    expect(undoExpiry(story.collection, 'bkp-i2', '2026-01-06T00:00:00.000Z')).toMatchObject({
      accepted: false,
      refusal: { code: 'retention.grace-over' },
    });
    expect(decide(story, facts, NOW + 4 * 86_400_000)).toEqual(['bkp-i2 condemned']);
    expect(story.collection.unusable.get('bkp-f1')).toBe('expired');
  });

  it('never condemns what is pinned, leased, or the parent of a backup being made', () => {
    const pinned = chains();
    const pin = pinBackup(pinned.collection, 'bkp-i1', 'audit');
    if (pin.accepted) pinned.append(...pin.events);
    expect(decide(pinned, factsOf({ keep: { last: 2 } }))).toEqual([
      'bkp-i2 expired',
      'bkp-f1 expired',
      'bkp-i2 condemned',
    ]);
    const unpin = unpinBackup(pinned.collection, 'bkp-i1');
    if (unpin.accepted) pinned.append(...unpin.events);
    expect(decide(pinned, factsOf({ keep: { last: 2 } }))).toEqual([
      'bkp-i1 expired',
      'bkp-f1 condemned',
      'bkp-i1 condemned',
    ]);
    expect(decide(chains(), factsOf({ keep: { last: 2 } }, ['bkp-i2']))).toEqual([
      'bkp-i1 expired',
      'bkp-f1 expired',
    ]);
    const making = chains();
    making.ask('run-d', { type: 'differential', into: 'f1' });
    expect(decide(making, factsOf({ keep: { last: 2 } }))).toEqual([
      'bkp-i2 expired',
      'bkp-i1 expired',
      'bkp-f1 expired',
      'bkp-i1 condemned',
      'bkp-i2 condemned',
    ]);
  });

  it('a condemned backup is never again parent, pinned or brought back', () => {
    const story = chains();
    decide(story, factsOf({ keep: { last: 2 } }));
    expect(story.ask('run-d', { type: 'differential', into: 'f1' })).toMatchObject({
      events: [{ type: 'run.refused', data: { failure: { code: 'chain.cannot-join' } } }],
    });
    expect(pinBackup(story.collection, 'bkp-f1')).toMatchObject({ refusal: { code: 'retention.condemned' } });
    expect(undoExpiry(story.collection, 'bkp-f1', '2026-01-02T00:00:00.000Z')).toMatchObject({
      refusal: { code: 'retention.condemned' },
    });
    expect(pinBackup(story.collection, 'bkp-zz')).toMatchObject({
      refusal: { code: 'chain.backup-unknown' },
    });
  });

  it('only what was condemned may be deleted, once', () => {
    const story = chains();
    expect(recordDeleted(story.collection, 'bkp-f1', 'run-p')).toMatchObject({
      refusal: { code: 'retention.not-condemned' },
    });
    decide(story, factsOf({ keep: { last: 2 } }));
    const deleted = recordDeleted(story.collection, 'bkp-f1', 'run-p');
    if (deleted.accepted) story.append(...deleted.events);
    expect(recordDeleted(story.collection, 'bkp-f1', 'run-p')).toEqual({ accepted: true, events: [] });
  });

  it('an expiry does not hide damage: what depends on it stays unusable', () => {
    const story = chains();
    story.append(...markUnusable(story.collection, 'bkp-f1', 'damaged'));
    const held = factsOf({ keep: { last: 1 } }, ['bkp-i2']);
    expect(decide(story, held)).toContain('bkp-f1 expired');
    expect(standingOf(story.collection, 'bkp-i2')).toMatchObject({ usable: false, reason: 'damaged' });
    expect(decide(story, held)).toEqual([]);
    expect(decide(story, factsOf({ keep: { last: 1 } }))).toEqual([
      'bkp-i2 expired',
      'bkp-f1 condemned',
      'bkp-i1 condemned',
      'bkp-i2 condemned',
    ]);
  });

  it('a policy that would keep nothing expires nothing', () => {
    expect(() => decide(chains(), factsOf({ keep: { tags: ['x'] } }))).toThrow(
      expect.objectContaining({ code: 'retention.keeps-nothing' }),
    );
  });

  it('whatever is taken, pinned and expired: what is usable has all it needs', () => {
    const step = fc.oneof(
      fc
        .constantFrom('full' as const, 'incremental' as const, 'differential' as const, 'copyOnly' as const)
        .map((type) => ({ take: type })),
      fc.integer({ min: 1, max: 4 }).map((last) => ({ last })),
      fc.nat(20).map((pin) => ({ pin })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const story = new CatalogStory();
        steps.forEach((one, index) => {
          if ('take' in one)
            story.take(`run-${index}`, one.take === 'copyOnly' ? 'full' : one.take, one.take === 'copyOnly');
          else if ('last' in one)
            decide(story, factsOf({ keep: { last: one.last }, copyOnly: { keep: { last: 1 } } }));
          else {
            const ids = [...story.collection.backups.keys()];
            const pin = pinBackup(story.collection, ids[one.pin % Math.max(1, ids.length)] ?? '');
            if (pin.accepted) story.append(...pin.events);
          }
          for (const backup of story.collection.backups.values()) {
            const condemned = (id: string) => story.collection.unusable.get(id) === 'condemned';
            if (!condemned(backup.backup)) expect(backup.closure.some(condemned)).toBe(false);
            if (story.collection.pinned.has(backup.backup)) expect(condemned(backup.backup)).toBe(false);
          }
        });
        const folded = evolveCollectionWith(
          new CatalogStory().collection,
          story.events.filter((event) => event.aggregateId === story.collection.collection),
        );
        expect(folded).toEqual(story.collection);
      }),
    );
  });
});

describe('clocks, rules.md 5.7', () => {
  it('names two that disagree by more than a day', () => {
    const wall = { clock: 'wall', time: NOW };
    const log = { clock: 'log', time: NOW - 86_400_001 };
    expect(disagreeingClocks([wall, log, { clock: 'database', time: NOW - 1000 }])).toEqual([log, wall]);
    expect(disagreeingClocks([wall, { clock: 'log', time: NOW - 86_400_000 }])).toBeUndefined();
    expect(disagreeingClocks([])).toBeUndefined();
  });
});
