import { describe, expect, it } from '@jest/globals';
import { EventNotUnderstoodError } from '@catena/events';
import { CannotApplyError } from '../projectors/cannot-apply-error.ts';
import { failureKind } from './failure-kind.ts';

const aggregate = { type: 'run', id: 'run-a' } as const;

describe('a failure', () => {
  it.each([
    [
      'an event that does not fit',
      new CannotApplyError({ sequence: 1, type: 'run.failed', aggregate }, 'why'),
      'event',
    ],
    ['an event of a newer build', new EventNotUnderstoodError('run.dreamt', 1, 'why'), 'event'],
    ['a value no column takes', { code: '22008' }, 'data'],
    ['a second row of one id', { code: '23505' }, 'data'],
    ['a server that is starting', { code: '57P03' }, 'again'],
    ['a connection that is refused', { code: 'ECONNREFUSED' }, 'again'],
    ['a full disk', { code: '53100' }, 'again'],
    ['a table that was dropped', { code: '42P01' }, 'again'],
    ['a connection that ended', new Error('Connection terminated'), 'again'],
  ])('%s: %p', (_what, error, kind) => {
    expect(failureKind(error)).toBe(kind);
  });
});
