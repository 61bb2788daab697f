/** What an operator gets to see of a failure, in logs, replies and events. */
export interface ErrorDescription {
  /** Stable, documented, `area.reason`; programs branch on it. */
  code: string;
  /** Names the thing and the rule. */
  message: string;
  /** What to do about it. */
  remedy?: string | undefined;
  /** Whether trying the same again may succeed. */
  retryable: boolean;
  /** What else an operator needs, as plain JSON. */
  details?: Record<string, unknown> | undefined;
}

export interface CatenaErrorOptions {
  remedy?: string | undefined;
  retryable?: boolean | undefined;
  details?: Record<string, unknown> | undefined;
  cause?: unknown;
}

/**
 * The root of the error family. Every refusal names the thing, the rule and the remedy (rules.md section 7)
 * and changes nothing.
 */
export class CatenaError extends Error implements ErrorDescription {
  readonly code: string;
  readonly remedy: string | undefined;
  readonly retryable: boolean;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: string, message: string, options: CatenaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.remedy = options.remedy;
    this.retryable = options.retryable ?? false;
    this.details = options.details;
  }

  /** The wire form; carries no stack and no cause, so no secret of a lower layer leaks. */
  describe(): ErrorDescription {
    return {
      code: this.code,
      message: this.message,
      remedy: this.remedy,
      retryable: this.retryable,
      details: this.details,
    };
  }
}

/** Describes any thrown value; what is not a CatenaError becomes `internal.unexpected`, retryable. */
export function describeError(thrown: unknown): ErrorDescription {
  if (thrown instanceof CatenaError) return thrown.describe();
  return {
    code: 'internal.unexpected',
    message: thrown instanceof Error ? thrown.message : String(thrown),
    retryable: true,
  };
}

/** Rebuilds an error from its wire form, so that a client can throw what a service refused with. */
export function errorFromDescription(description: ErrorDescription): CatenaError {
  return new CatenaError(description.code, description.message, description);
}
