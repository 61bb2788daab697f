const SLASH = 0x2f;

/**
 * The canonical order of entries: bytewise, '/' before every other byte, a path before everything beneath it.
 * Negative when `a` comes first, 0 when equal.
 */
export function comparePaths(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const left = a[i] ?? 0;
    const right = b[i] ?? 0;
    if (left === right) continue;
    if (left === SLASH) return -1;
    if (right === SLASH) return 1;
    return left - right;
  }
  return a.length - b.length;
}
