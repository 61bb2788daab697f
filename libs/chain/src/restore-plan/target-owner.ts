/**
 * What a target belongs to: the first thing that ended at or after it; for the newest state, or a time after everything,
 * the newest (rules.md 2.1: by time, not by position).
 * @param timeOf numbers, or texts whose order is the order in time; undefined when the thing does not say.
 */
export function ownerOfTarget<T, Time extends number | string>(
  things: Iterable<T>,
  timeOf: (thing: T) => Time | undefined,
  target: Time | undefined,
): T | undefined {
  let newest: { thing: T; time: Time } | undefined;
  let after: { thing: T; time: Time } | undefined;
  let last: T | undefined;
  for (const thing of things) {
    last = thing;
    const time = timeOf(thing);
    if (time === undefined) continue;
    if (newest === undefined || time >= newest.time) newest = { thing, time };
    if (target !== undefined && time >= target && (after === undefined || time < after.time)) {
      after = { thing, time };
    }
  }
  return (after ?? newest)?.thing ?? last;
}
