/** Stable codes of everything that can go wrong with the servers of one machine. */
export type EmbeddedErrorCode =
  | 'CHILD_NOT_ENDED'
  | 'CHILD_NOT_READY'
  | 'HOME_IN_USE'
  | 'HOME_NOT_USABLE'
  | 'LOCK_TIMEOUT'
  | 'NATS_FETCH_FAILED'
  | 'NATS_NOT_FOUND'
  | 'NATS_UNREACHABLE'
  | 'NATS_UNSUITABLE'
  | 'NO_FREE_PORT'
  | 'NOT_STARTED'
  | 'PLATFORM_UNSUPPORTED'
  | 'POSTGRES_INIT_FAILED'
  | 'POSTGRES_NOT_FOUND'
  | 'POSTGRES_PLACE_TAKEN'
  | 'POSTGRES_PLACE_UNREACHABLE'
  | 'POSTGRES_UNREACHABLE'
  | 'POSTGRES_USER_MISSING'
  | 'SECRETS_UNREADABLE';

/** A refusal or failure of this library. `message` names the thing and the rule, `remedy` says what to do. */
export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError';
  readonly code: EmbeddedErrorCode;
  readonly remedy: string;
  /** What an operator needs beyond the text: paths, pids, versions, the tail of a log. Never a secret. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: EmbeddedErrorCode,
    problem: string,
    remedy: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(`${problem}. ${remedy}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.remedy = remedy;
    this.details = details;
  }
}

/** The text of anything that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
