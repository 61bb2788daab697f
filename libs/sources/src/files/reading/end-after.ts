/** The coordinate of a source that has none of its own: the time in nanoseconds, which never goes back inside a collection. */
export function endAfter(began: Date, previousEnd: string | undefined): string {
  const end = BigInt(began.getTime()) * 1_000_000n;
  const least = previousEnd === undefined ? 0n : BigInt(previousEnd) + 1n;
  return (end > least ? end : least).toString();
}
