import { describe, expect, it } from '@jest/globals';
import { CatenaError } from '@catena/events';
import type { Messages } from '../port/messages.ts';

/** Two ends that reach each other; for one process the same end twice. */
export type OpenMessages = () => Promise<{ here: Messages; there: Messages }>;

/** What every way of sending messages must do. */
export function describeMessages(name: string, open: OpenMessages): void {
  const withMessages = async (use: (here: Messages, there: Messages) => Promise<void>) => {
    const { here, there } = await open();
    try {
      await use(here, there);
    } finally {
      await here.close();
      await there.close();
    }
  };

  describe(`${name} as messages`, () => {
    it('carries a question and its answer', () =>
      withMessages(async (here, there) => {
        await there.serve('catena.test.sum', 'adders', async (payload) => {
          const { a, b } = payload as { a: number; b: number };
          return { sum: a + b, text: 'Ω', nothing: undefined };
        });
        expect(await here.ask('catena.test.sum', { a: 2, b: 3 })).toEqual({ sum: 5, text: 'Ω' });
      }));

    it('carries nothing as null', () =>
      withMessages(async (here, there) => {
        await there.serve('catena.test.echo', 'echoes', async (payload) => payload);
        expect(await here.ask('catena.test.echo', undefined)).toBeNull();
      }));

    it('carries what the handler refused with', () =>
      withMessages(async (here, there) => {
        const refusal = new CatenaError('test.refused', 'the thing is locked', {
          remedy: 'unlock it',
          retryable: true,
          details: { thing: 7 },
        });
        await there.serve('catena.test.refuse', 'refusers', () => Promise.reject(refusal));
        await there.serve('catena.test.crash', 'refusers', () => Promise.reject(new Error('oops')));
        await expect(here.ask('catena.test.refuse', {})).rejects.toMatchObject(refusal.describe());
        await expect(here.ask('catena.test.crash', {})).rejects.toMatchObject({
          code: 'internal.unexpected',
          message: 'oops',
        });
      }));

    it('says when nobody answers, and when nobody answers in time', () =>
      withMessages(async (here, there) => {
        await expect(here.ask('catena.test.nobody', {})).rejects.toMatchObject({
          code: 'messages.no-responder',
          retryable: true,
        });
        let release = () => {};
        const gate = new Promise<void>((resolve) => (release = resolve));
        await there.serve('catena.test.slow', 'slow', () => gate);
        await expect(here.ask('catena.test.slow', {}, { timeoutMilliseconds: 30 })).rejects.toMatchObject({
          code: 'messages.timeout',
          retryable: true,
        });
        release();
      }));

    it('stops asking when the signal aborts', () =>
      withMessages(async (here, there) => {
        let release = () => {};
        const gate = new Promise<void>((resolve) => (release = resolve));
        await there.serve('catena.test.slow', 'slow', () => gate);
        const stop = new AbortController();
        const asking = here.ask('catena.test.slow', {}, { signal: stop.signal });
        stop.abort(new Error('not wanted any more'));
        await expect(asking).rejects.toThrow('not wanted any more');
        release();
      }));

    it('shares the questions of a group, and stops when told, after what it is answering', () =>
      withMessages(async (here, there) => {
        const answered = { here: 0, there: 0 };
        let release = () => {};
        const gate = new Promise<void>((resolve) => (release = resolve));
        const mine = await here.serve('catena.test.shared', 'group', async () => (answered.here += 1));
        const yours = await there.serve('catena.test.shared', 'group', async () => {
          answered.there += 1;
          await gate;
        });
        const asked = Array.from({ length: 20 }, () =>
          here.ask('catena.test.shared', {}, { timeoutMilliseconds: 20_000 }),
        );
        while (answered.here + answered.there < 20) await here.flush();
        expect(answered.here).toBeGreaterThan(0);
        expect(answered.there).toBeGreaterThan(0);
        const stopping = yours.stop();
        release();
        await Promise.all([...asked, stopping]);
        await mine.stop();
        await expect(here.ask('catena.test.shared', {})).rejects.toMatchObject({
          code: 'messages.no-responder',
        });
      }));

    it('carries notices to everybody who listens, by pattern', () =>
      withMessages(async (here, there) => {
        const heard: string[] = [];
        const listeners = [
          there.listen('catena.test.progress.*', (payload, subject) =>
            heard.push(`* ${subject} ${JSON.stringify(payload)}`),
          ),
          here.listen('catena.test.>', (payload, subject) =>
            heard.push(`> ${subject} ${JSON.stringify(payload)}`),
          ),
        ];
        await Promise.all([here.flush(), there.flush()]);
        here.notify('catena.test.progress.run-1', { bytes: 3 });
        await Promise.all([here.flush(), there.flush()]);
        while (heard.length < 2) await there.flush();
        expect(heard.sort()).toEqual([
          '* catena.test.progress.run-1 {"bytes":3}',
          '> catena.test.progress.run-1 {"bytes":3}',
        ]);
        for (const listener of listeners) listener.stop();
        await Promise.all([here.flush(), there.flush()]);
        here.notify('catena.test.progress.run-1', { bytes: 4 });
        await Promise.all([here.flush(), there.flush()]);
        expect(heard).toHaveLength(2);
      }));
  });
}
