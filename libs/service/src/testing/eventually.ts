import { pause } from '../lifecycle/pause.ts';

/** Only what never comes takes this long; a busy machine may take some of it. */
const LIMIT_MILLISECONDS = 240_000;

/** Asks again until there is an answer; what never comes fails with the name of what was waited for. */
export async function eventually<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + LIMIT_MILLISECONDS;
  while (performance.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await pause(10);
  }
  throw new Error(`It never came: ${what}.`);
}
