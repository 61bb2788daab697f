import { describe, expect, it } from '@jest/globals';
import { Readiness } from '../health/readiness.ts';
import { Log } from '../logging/log.ts';
import { BackgroundWork } from './background-work.ts';
import { pause } from './pause.ts';

function background(): { work: BackgroundWork; readiness: Readiness } {
  const log = new Log({
    service: 's',
    instance: 'i',
    level: 'error',
    format: 'json',
    write: () => undefined,
  });
  const readiness = new Readiness();
  return { work: new BackgroundWork(log, readiness), readiness };
}

describe('background work', () => {
  it('is told to end and waited for', async () => {
    const { work } = background();
    let ended = false;
    work.start('loop', async (signal) => {
      await pause(60_000, signal);
      ended = true;
    });
    await work.stop();
    expect(ended).toBe(true);
  });

  it('that fails makes the service not ready, is started again, and is ready again when it gets somewhere', async () => {
    const { work, readiness } = background();
    let starts = 0;
    const gate = Promise.withResolvers<undefined>();
    const seen = Promise.withResolvers<unknown>();
    work.start('projection', async (signal, healthy) => {
      starts += 1;
      if (starts === 1) throw new Error('no database');
      seen.resolve(await readiness.examine());
      await gate.promise;
      healthy();
      await pause(60_000, signal);
    });
    expect(await seen.promise).toEqual({
      ready: false,
      checks: { projection: { ok: false, detail: 'no database' } },
    });
    gate.resolve(undefined);
    await Promise.resolve().then(() => undefined);
    await work.stop();
    expect(await readiness.examine()).toEqual({ ready: true, checks: { projection: { ok: true } } });
    expect(starts).toBe(2);
  });
});
