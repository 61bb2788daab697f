import { CatenaError, type CatenaErrorOptions } from '@catena/events';

/** Codes of what can be wrong with a source. */
export type SourceErrorCode =
  | 'source.driverUnknown'
  | 'source.specInvalid'
  | 'source.notFound'
  | 'source.notReadable'
  | 'source.notSupported'
  | 'source.accessDenied'
  | 'source.unreachable'
  | 'source.connectionLost'
  | 'source.commandFailed'
  | 'source.historyLost'
  | 'source.logUnbounded'
  | 'source.damaged'
  | 'source.repositoryInside';

/** A source that cannot be used as it is defined, or could not be read to its end. Nothing was touched. */
export class SourceError extends CatenaError {
  declare readonly code: SourceErrorCode;

  /** @param code one of the codes of this kind of error, which `CatenaError` itself does not know */
  public constructor(code: SourceErrorCode, message: string, options: CatenaErrorOptions) {
    super(code, message, options);
  }
}
