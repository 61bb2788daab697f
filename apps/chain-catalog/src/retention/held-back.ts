import { disagreeingClocks } from '@catena/chain';
import type { NewestRecord } from './retention-view.ts';

const DAY = 24 * 3_600_000;

/**
 * Whether the clocks let anything expire now (rules.md 5.7).
 * - `agree`: the log was written to within the last day, by clocks that agree.
 * - `idle`: nothing was written lately, so nothing can be said; the next run brings a record to compare with.
 * - else why nothing expires, in words.
 */
export function clocksSay(
  newest: NewestRecord | undefined,
  now: number,
): 'agree' | 'idle' | { because: string } {
  if (newest === undefined) return 'idle';
  const log = { clock: "the log's server", time: Date.parse(newest.recordedAt) };
  const service = { clock: 'the service that wrote last', time: Date.parse(newest.time) };
  const wrong =
    disagreeingClocks([service, log]) ??
    (log.time > now ? disagreeingClocks([{ clock: 'this machine', time: now }, log]) : undefined);
  if (wrong !== undefined) {
    const [early, late] = wrong.map(({ clock, time }) => `${clock} says ${new Date(time).toISOString()}`);
    return { because: `Clocks disagree: ${early}, ${late}. Nothing expires until they agree.` };
  }
  return now - log.time > DAY ? 'idle' : 'agree';
}
