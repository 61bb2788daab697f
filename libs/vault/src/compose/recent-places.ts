/** Blocks whose place is remembered. */
const LIMIT = 100_000;

/** Where the blocks that were taken over last lie now, so that what was stored once stays stored once. */
export class RecentPlaces<T> {
  private newer = new Map<string, { readonly size: number; readonly place: T }>();
  private older: ReadonlyMap<string, { readonly size: number; readonly place: T }> = new Map();

  find(key: string, size: number): T | undefined {
    const known = this.newer.get(key) ?? this.older.get(key);
    return known?.size === size ? known.place : undefined;
  }

  /** The older half goes at once: deleting single keys from a large Map is slow. */
  remember(key: string, size: number, place: T): void {
    this.newer.set(key, { size, place });
    if (this.newer.size < LIMIT / 2) return;
    this.older = this.newer;
    this.newer = new Map();
  }
}
