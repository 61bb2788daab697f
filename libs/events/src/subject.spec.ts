import { describe, expect, it } from '@jest/globals';
import { aggregateTypeOf, aggregateTypes, eventTypes } from './catalogue/catalogue.ts';
import { aggregateFilter, eventSubject, parseEventSubject } from './subject.ts';

describe('subjects of the log', () => {
  it.each(eventTypes)('say aggregate, id and event, and read back: %s', (type) => {
    const aggregate = { type: aggregateTypeOf(type), id: 'id_1-A' };
    const subject = eventSubject(aggregate, type);
    expect(subject).toBe(`catena.events.${aggregate.type}.id_1-A.${type.split('.')[1]}`);
    expect(parseEventSubject(subject)).toEqual({ aggregate, type });
  });

  it('have one filter for all events of an aggregate', () => {
    expect(aggregateFilter({ type: 'run', id: 'run-1' })).toBe('catena.events.run.run-1.>');
  });

  it.each(['', 'a.b', 'a b', 'a*', '>', 'ä', 'x'.repeat(129)])('cannot carry the id "%s"', (id) => {
    for (const type of aggregateTypes) {
      expect(() => aggregateFilter({ type, id })).toThrow(
        expect.objectContaining({ code: 'events.id-not-a-token' }),
      );
    }
  });

  it.each([
    'catena.events.run.run-1',
    'catena.events.run.run-1.claimed.more',
    'catena.events.ghost.run-1.claimed',
    'catena.jobs.run.run-1.claimed',
    'catena.events.run..claimed',
    '',
  ])('are not "%s"', (subject) => {
    expect(() => parseEventSubject(subject)).toThrow(
      expect.objectContaining({ code: 'events.subject-unknown' }),
    );
  });
});
