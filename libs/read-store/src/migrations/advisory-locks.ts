import type { ClientBase } from 'pg';

/** PostgreSQL advisory locks that belong to the session holding them: a crash gives them back. */
const LOCKS = {
  /** Only one process migrates at a time. */
  migrate: 4_713_601,
  /** Only one process rebuilds, or cleans up after a rebuild, at a time. */
  rebuild: 4_713_602,
} as const;

export async function lock(client: ClientBase, name: keyof typeof LOCKS): Promise<void> {
  await client.query('select pg_advisory_lock($1)', [LOCKS[name]]);
}

/** @returns whether the lock is ours now. */
export async function tryLock(client: ClientBase, name: keyof typeof LOCKS): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [
    LOCKS[name],
  ]);
  return rows[0]?.locked ?? false;
}

export async function unlock(client: ClientBase, name: keyof typeof LOCKS): Promise<void> {
  await client.query('select pg_advisory_unlock($1)', [LOCKS[name]]);
}

/**
 * As `unlock`, at the end of work that may have lost its connection; then the lock is gone with it. Without this the
 * server gives the lock back only when it notices that the session has ended, a moment after its owner went on.
 */
export async function giveBack(client: ClientBase, name: keyof typeof LOCKS): Promise<void> {
  await unlock(client, name).catch(() => undefined);
}
