import { CatenaError, type CatenaErrorOptions } from '@catena/events';

/** Codes of what can be wrong with a source before anything is read. */
export type SourceErrorCode =
  | 'source.driverUnknown'
  | 'source.specInvalid'
  | 'source.notFound'
  | 'source.notReadable'
  | 'source.notSupported'
  | 'source.repositoryInside';

/** A source that cannot be used as it is defined. Nothing was touched. */
export class SourceError extends CatenaError {
  declare readonly code: SourceErrorCode;

  /** @param code one of the codes of this kind of error, which `CatenaError` itself does not know */
  public constructor(code: SourceErrorCode, message: string, options: CatenaErrorOptions) {
    super(code, message, options);
  }
}
