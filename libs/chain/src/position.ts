/**
 * Positions are exact non-negative integers of any width as decimal text (LSNs of SQL Server have 25 digits). They are
 * compared as text, so nothing is lost and nothing is allocated.
 */
export type Position = string;

/** Negative, zero or positive, as for `Array.prototype.sort`. */
export function comparePositions(a: Position, b: Position): number {
  const left = withoutLeadingZeros(a);
  const right = withoutLeadingZeros(b);
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}

export function laterPosition(a: Position, b: Position): Position {
  return comparePositions(a, b) >= 0 ? a : b;
}

export function nextPosition(a: Position): Position {
  return (BigInt(a) + 1n).toString();
}

function withoutLeadingZeros(position: Position): string {
  return position.charCodeAt(0) === 48 && position.length > 1 ? position.replace(/^0+(?=\d)/, '') : position;
}
