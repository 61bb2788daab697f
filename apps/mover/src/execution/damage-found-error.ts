import { CatenaError, type MoverReport } from '@catena/events';

export type DamagedBackup = NonNullable<
  Extract<MoverReport['outcome'], { kind: 'failed' }>['damaged']
>[number];

/** Reading a backup met something wrong; the catalog records it, so that nothing is built on it. */
export class DamageFoundError extends CatenaError {
  readonly damaged: readonly DamagedBackup[];

  constructor(damaged: readonly DamagedBackup[], cause: unknown) {
    const names = damaged.map(({ backup }) => backup).join(', ');
    super('vault.damaged', `Backup ${names} is damaged: ${messageOf(cause)}`, {
      remedy: 'Restore as of another backup, and run a full backup so that a new chain begins.',
      cause,
    });
    this.damaged = damaged;
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
