/** What a backup is expected to take, and how that is known. */
export interface ExpectedSpace {
  readonly bytes: number;
  /** The backup that took so much. */
  readonly as: string;
}

/** Below this a repository is full: not even the small objects of a backup fit. */
export const LEAST_FREE_BYTES = 4 * 1024 * 1024;

/** Sources shrink, and much may be the same as before: only what is far too little is refused. */
const HOPELESS_SHARE = 0.5;
/** A little more than the last time is usual. */
const WANTED_SHARE = 1.2;

/**
 * Whether what is free will do (rules.md section 7): `short` is refused before anything is read, `low` is a warning.
 * @param free bytes; `undefined` where the store cannot tell
 * @param stored bytes that earlier attempts of the run have stored already
 */
export function judgeSpace(
  free: number | undefined,
  expected: ExpectedSpace | undefined,
  stored: number,
): 'enough' | 'low' | 'short' {
  if (free === undefined) return 'enough';
  if (free < LEAST_FREE_BYTES) return 'short';
  const missing = Math.max(0, (expected?.bytes ?? 0) - stored);
  if (free < missing * HOPELESS_SHARE) return 'short';
  return free < missing * WANTED_SHARE ? 'low' : 'enough';
}
