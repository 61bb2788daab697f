const DEFAULT_POOL = 'default';

/** The kind under which jobs for a pool of movers are in the queue; the default pool's jobs have no addition. */
export function jobKindOf(kind: string, pool: string): string {
  return pool === DEFAULT_POOL ? kind : `${kind}_${pool}`;
}
