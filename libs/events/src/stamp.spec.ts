import { describe, expect, it } from '@jest/globals';
import type { AnyDomainEvent, EventContext } from './envelope.ts';
import { domainEvent, stamp } from './stamp.ts';

const context: EventContext = {
  time: '2026-03-01T12:00:00.000Z',
  actor: 'mover:one',
  correlationId: 'run-1',
  causationId: 'job-1',
};
const claimed = domainEvent('run.claimed', 'run-1', { attempt: 1, mover: 'one' });
const idsOf = (events: readonly AnyDomainEvent[], changes: Partial<EventContext> = {}) =>
  stamp(events, { ...context, ...changes }).map(({ id }) => id);

describe('stamping decided events', () => {
  it('adds id, version, aggregate and context', () => {
    expect(stamp([claimed], context)).toEqual([
      {
        ...context,
        id: expect.stringMatching(/^[0-9a-z]{20}$/),
        type: 'run.claimed',
        version: 1,
        aggregate: { type: 'run', id: 'run-1' },
        data: { attempt: 1, mover: 'one' },
      },
    ]);
  });

  it('gives the same decision the same ids, whenever and by whomever it is made again', () => {
    expect(idsOf([claimed, claimed], { time: '2030-01-01T00:00:00.000Z', actor: 'mover:two' })).toEqual(
      idsOf([claimed, claimed]),
    );
  });

  it('gives other ids for another cause, place, aggregate, type or payload', () => {
    const others = [
      ...idsOf([claimed, claimed]),
      ...idsOf([claimed], { causationId: 'job-2' }),
      ...idsOf([
        domainEvent('run.claimed', 'run-2', { attempt: 1, mover: 'one' }),
        domainEvent('run.released', 'run-1', { attempt: 1, mover: 'one', reason: 'stopping' }),
      ]),
      ...idsOf([domainEvent('run.claimed', 'run-1', { attempt: 2, mover: 'one' })]),
    ];
    expect(new Set(others).size).toBe(others.length);
  });
});
