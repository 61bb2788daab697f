import { describe, expect, it } from '@jest/globals';
import { aggregateTypeOf, aggregateTypes, eventTypes, isEventType } from './catalogue.ts';
import { checkEventData, currentVersion, liftData, readEventData } from './versions.ts';

const notUnderstood = (message: RegExp) =>
  expect.objectContaining({ code: 'events.not-understood', message: expect.stringMatching(message) });

describe('the catalogue', () => {
  it('has every type under an aggregate that it knows', () => {
    for (const type of eventTypes) {
      expect(aggregateTypes).toContain(aggregateTypeOf(type));
      expect(type).toMatch(/^[a-z]+\.[a-z-]+$/);
      expect(currentVersion(type)).toBeGreaterThanOrEqual(1);
    }
    expect(isEventType('run.sung')).toBe(false);
    expect(isEventType('toString')).toBe(false);
  });
});

describe('a payload that is read', () => {
  it('is checked, and what its schema does not name is left out', () => {
    expect(readEventData('run.claimed', 1, { attempt: 2, mover: 'one', more: true })).toEqual({
      attempt: 2,
      mover: 'one',
    });
  });

  it('stops its reader when the type is unknown, the version newer or the schema broken', () => {
    expect(() => readEventData('run.sung', 1, {})).toThrow(notUnderstood(/does not know the type/));
    expect(() => readEventData('run.claimed', 2, {})).toThrow(notUnderstood(/knows versions up to 1/));
    expect(() => readEventData('run.claimed', 1, { attempt: 0 })).toThrow(notUnderstood(/attempt[^]*mover/));
  });

  it('is lifted from its own version through every later step', () => {
    const steps = [
      (data: unknown) => ({ ...(data as object), two: true }),
      (data: unknown) => ({ ...(data as object), three: true }),
    ];
    expect(liftData(steps, 1, { one: true })).toEqual({ one: true, two: true, three: true });
    expect(liftData(steps, 2, { two: 'own' })).toEqual({ two: 'own', three: true });
    expect(liftData(steps, 3, { three: 'own' })).toEqual({ three: 'own' });
  });
});

describe('a payload that is written', () => {
  it('must fit its schema', () => {
    expect(checkEventData('run.claimed', { attempt: 1, mover: 'one' })).toEqual({ attempt: 1, mover: 'one' });
    expect(() => checkEventData('run.claimed', { attempt: 0.5, mover: 'one' })).toThrow(
      notUnderstood(/attempt/),
    );
  });
});
