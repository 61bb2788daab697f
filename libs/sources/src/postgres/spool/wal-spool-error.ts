import { CatenaError, type CatenaErrorOptions } from '@catena/events';

export type WalSpoolErrorCode =
  /** The name is none that PostgreSQL gives to a file of its log. */
  | 'wal.not-a-log-file'
  /** What is in the file is not what its name says. */
  | 'wal.damaged'
  /** The folder takes the log of another cluster. */
  | 'wal.other-cluster'
  /** There is a file of that name already, with other content. */
  | 'wal.other-content'
  /** Several sources keep a log in the repository, or none does. */
  | 'wal.which-source'
  /** The folder cannot be used. */
  | 'wal.spool-unusable'
  /** A segment is not there, though a later one is: the log ends somewhere else than it seems. */
  | 'wal.gap'
  /** A backup of the log cannot be read. */
  | 'wal.unreadable';

/** Why a file of the log was not taken. The server keeps it, and tries again. */
export class WalSpoolError extends CatenaError {
  declare readonly code: WalSpoolErrorCode;

  /** @param code one of the codes of this kind of error, which `CatenaError` itself does not know */
  public constructor(code: WalSpoolErrorCode, message: string, options: CatenaErrorOptions) {
    super(code, message, options);
  }
}
