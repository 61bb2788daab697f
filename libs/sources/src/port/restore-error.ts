import { CatenaError, type CatenaErrorOptions } from '@catena/events';

/** Codes of what stops a restore. */
export type RestoreErrorCode =
  | 'restore.targetExists'
  | 'restore.targetNotUsable'
  | 'restore.targetTooSmall'
  | 'restore.targetChanged'
  | 'restore.kindConflict'
  | 'restore.linkInTheWay'
  | 'restore.unsafePath'
  | 'restore.nothingSelected'
  | 'restore.noSpace'
  | 'restore.contentMissing'
  | 'restore.contentWrong'
  | 'restore.logGap'
  | 'restore.stopNotFound'
  | 'restore.stopBeforeBackup'
  | 'restore.tablespaceUnknown'
  | 'restore.tablespaceInLog'
  | 'restore.otherCluster'
  | 'restore.serverRunning'
  | 'restore.reachedElsewhere'
  | 'restore.copyNotStarted'
  | 'restore.copyNotReadable'
  | 'restore.definitionsUnreadable'
  | 'restore.databaseUnknown'
  | 'restore.tableUnknown'
  | 'restore.partsMissing'
  | 'restore.dependants'
  | 'restore.targetRefused';

/** A restore that was refused or could not be completed; under the final names nothing has changed. */
export class RestoreError extends CatenaError {
  declare readonly code: RestoreErrorCode;

  /** @param code one of the codes of this kind of error, which `CatenaError` itself does not know */
  public constructor(code: RestoreErrorCode, message: string, options: CatenaErrorOptions) {
    super(code, message, options);
  }
}
