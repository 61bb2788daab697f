/**
 * What the log says of a run: `over` for long enough; `recent`: over, but not for long; `open`: it may still make a
 * backup; `unknown`: the log does not know it.
 */
export type RunStanding = 'over' | 'recent' | 'open' | 'unknown';

export interface SweepOptions {
  /** The installation that asks; any but the owner of the repository is refused. */
  readonly installation: string;
  /** Asked for each run that has left something. */
  readonly standingOf: (run: string) => Promise<RunStanding>;
  /** Unfinished objects nobody has written to for so long are removed. */
  readonly idleMilliseconds: number;
  /** Only says what would be removed. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  /** Asked before anything of a run is touched; throws when somebody else has taken over. */
  readonly assertHeld?: () => Promise<void>;
  readonly onProgress?: (done: { readonly objects: number; readonly bytes: number }) => void;
}

/** What a run has left behind. */
export interface Leftover {
  readonly collection: string;
  readonly run: string;
  /** Beneath the collection's. */
  readonly folder: string;
  readonly objects: number;
  readonly bytes: number;
}

/** What came of a sweep. With `dryRun`: what would have come of it. */
export interface SweepReport {
  readonly swept: readonly Leftover[];
  /** What was left, because of how its run stands. */
  readonly left: readonly (Leftover & { readonly standing: Exclude<RunStanding, 'over'> })[];
  /** Collections where nothing was touched, because a manifest that may need it cannot be read. */
  readonly unsure: readonly { readonly collection: string; readonly manifest: string }[];
  readonly unfinished: { readonly objects: number; readonly bytes: number };
  /** All together. */
  readonly objects: number;
  readonly bytes: number;
}
