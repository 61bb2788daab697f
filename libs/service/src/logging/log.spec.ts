import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { CatenaError } from '@catena/events';
import { Log, withLogFields, type LogOptions } from './log.ts';

function logged(options: Partial<LogOptions>, work: (log: Log) => void): string[] {
  const lines: string[] = [];
  work(
    new Log({
      service: 'mover',
      instance: 'm1',
      level: 'info',
      format: 'json',
      write: (line) => lines.push(line),
      ...options,
    }),
  );
  return lines;
}

describe('the log', () => {
  it('is one JSON object a line', () => {
    const [line] = logged({}, (log) => log.info('claimed', { attempt: 2, position: 2n ** 70n }));
    expect(line?.endsWith('\n')).toBe(true);
    expect(JSON.parse(line ?? '')).toMatchObject({
      level: 'info',
      service: 'mover',
      instance: 'm1',
      message: 'claimed',
      attempt: 2,
      position: '1180591620717411303424',
    });
  });

  it('carries the run on every line of its work, however deep and however late, and on no other', async () => {
    const lines: string[] = [];
    const log = new Log({
      service: 's',
      instance: 'i',
      level: 'info',
      format: 'json',
      write: (line) => lines.push(line),
    });
    await Promise.all(
      ['run-a', 'run-b'].map((run) =>
        withLogFields({ run }, async () => {
          await setImmediate();
          withLogFields({ step: 1 }, () => log.info(`of ${run}`));
        }),
      ),
    );
    log.info('of none');
    const read = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(read.map(({ message, run, step }) => [message, run, step])).toEqual([
      ['of run-a', 'run-a', 1],
      ['of run-b', 'run-b', 1],
      ['of none', undefined, undefined],
    ]);
  });

  it('describes errors by code and remedy, and gives a stack only for unexpected ones', () => {
    const [known, unknown] = logged({}, (log) => {
      log.error('a', { error: new CatenaError('vault.full', 'The disk is full.', { remedy: 'Make room.' }) });
      log.error('b', { error: new Error('oops') });
    }).map((line) => JSON.parse(line) as { error: Record<string, unknown> });
    expect(known?.error).toEqual({
      code: 'vault.full',
      message: 'The disk is full.',
      remedy: 'Make room.',
      retryable: false,
    });
    expect(unknown?.error).toMatchObject({
      code: 'internal.unexpected',
      message: 'oops',
      stack: expect.any(String),
    });
  });

  it('leaves out what is below its level, and has a short form for people', () => {
    const lines = logged({ level: 'warn', format: 'pretty' }, (log) => {
      log.info('hidden');
      log.warn('shown', { path: '/x' });
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} warn {2}mover shown \{"path":"\/x"\}\n$/);
  });
});
