import type { Cadence } from '@catena/events';
import { DAY, HOUR } from '../calendar/cron-calendar.ts';
import { rhythmPeriod } from '../calendar/rhythm.ts';

/** A rhythm that a schedule really follows. */
export interface EffectiveCadence {
  readonly cadence: Cadence;
  /** A cron text, a name, or `every 6h` with a phase. */
  readonly rhythm: string;
  /** Asked for on a differential; ignored where the run is planned (rule 1.2). */
  readonly copyOnly: boolean;
  /** Nobody wrote it; it was chosen to fit the others (rule 3.1). */
  readonly chosen: boolean;
}

type GivenCadences = Readonly<
  Partial<Record<Cadence, { readonly rhythm: string; readonly copyOnly?: boolean }>>
>;

const ORDER: readonly Cadence[] = ['full', 'differential', 'incremental', 'log', 'copyOnly'];

/** From the highest to the lowest: of coinciding ones the first wins (rule 3.4). Logs and copy-only stand apart. */
export const dataCadences: readonly Cadence[] = ['full', 'differential', 'incremental'];

/**
 * What a schedule follows, in order, with the full's cadence where none is given (rule 3.1): it fits the longest
 * dependent, period ≤ 1 h → daily, ≤ 24 h → weekly. An only incremental that comes less often makes every run a
 * full. Dependents without any full are possible in the answer; a definition of that kind is refused.
 */
export function effectiveCadences(given: GivenCadences): EffectiveCadence[] {
  const cadences = ORDER.flatMap((cadence) => {
    const spec = given[cadence];
    return spec ? [{ cadence, rhythm: spec.rhythm, copyOnly: spec.copyOnly ?? false, chosen: false }] : [];
  });
  const dependents = cadences.filter(({ cadence }) => isDependent(cadence));
  if (given.full || dependents.length === 0) return cadences;
  const longest = Math.max(...dependents.map(({ rhythm }) => rhythmPeriod(rhythm)));
  if (longest <= DAY) {
    const rhythm = longest <= HOUR ? '@daily' : '@weekly';
    return [{ cadence: 'full', rhythm, copyOnly: false, chosen: true }, ...cadences];
  }
  if (given.differential) return cadences;
  return cadences.map((spec) =>
    spec.cadence === 'incremental' ? { ...spec, cadence: 'full', chosen: true } : spec,
  );
}

/** Whether backups of the cadence are computed from a full. */
export function isDependent(cadence: Cadence): boolean {
  return cadence === 'differential' || cadence === 'incremental';
}
