import { RestoreError } from './restore-error.ts';
import type { RestoreOptions } from './source-driver.ts';

/** What only a database cluster can do is refused of anything else, not passed over. */
export function refuseClusterOptions({ cluster, delta }: RestoreOptions): void {
  if (cluster === undefined && delta !== true) return;
  throw new RestoreError(
    'restore.targetNotUsable',
    'Starting, tablespaces and --delta are for database clusters; this backup is of none.',
    { remedy: 'Leave them out; --overwrite replaces what differs.', details: {} },
  );
}
