import type { UnitPlace } from './object-series-writer.ts';

/** Bytes between two units of an object that are read along rather than reading twice. */
const GAP_BYTES = 64 * 1024;
/** No more is read at once. */
const RUN_BYTES = 2 * 1024 * 1024;

/** Units of one object that are read with one call. */
export interface UnitRun<T extends { readonly place: UnitPlace }> {
  readonly start: number;
  readonly end: number;
  readonly units: readonly T[];
}

/** The fewest sensible reads for some units of one object, in the order in which they lie there. */
export function* runsOf<T extends { readonly place: UnitPlace }>(units: readonly T[]): Iterable<UnitRun<T>> {
  let run: { start: number; end: number; units: T[] } | undefined;
  for (const unit of units.toSorted((a, b) => a.place.offset - b.place.offset)) {
    const { offset, length } = unit.place;
    const joins =
      run !== undefined && offset <= run.end + GAP_BYTES && offset + length - run.start <= RUN_BYTES;
    if (run !== undefined && joins) {
      run.end = Math.max(run.end, offset + length);
      run.units.push(unit);
      continue;
    }
    if (run !== undefined) yield run;
    run = { start: offset, end: offset + length, units: [unit] };
  }
  if (run !== undefined) yield run;
}
