import { DamagedObjectError } from '@catena/vault';
import { DamageFoundError } from './damage-found-error.ts';

/** What the vault found damaged, as the catalog records it; any other error stays as it is. */
export function damageOf(error: unknown, backup: string): unknown {
  if (!(error instanceof DamagedObjectError)) return error;
  const { object, backups, files, reason } = error.damage;
  const hit = backups.length === 0 ? [backup] : backups;
  const problems = [{ object, message: reason, paths: [...files] }];
  return new DamageFoundError(
    hit.map((one) => ({ backup: one, problems })),
    error,
  );
}
