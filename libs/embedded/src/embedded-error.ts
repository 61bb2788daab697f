import { CatenaError } from '@catena/events';

/** Stable codes of everything that can go wrong with the servers and processes of one machine. */
export type EmbeddedErrorCode =
  | 'embedded.child-not-ended'
  | 'embedded.child-not-ready'
  | 'embedded.home-in-use'
  | 'embedded.home-not-usable'
  | 'embedded.lock-timeout'
  | 'embedded.nats-fetch-failed'
  | 'embedded.nats-not-found'
  | 'embedded.nats-unreachable'
  | 'embedded.nats-unsuitable'
  | 'embedded.no-free-port'
  | 'embedded.not-started'
  | 'embedded.postgres-init-failed'
  | 'embedded.postgres-not-found'
  | 'embedded.postgres-place-taken'
  | 'embedded.postgres-place-unreachable'
  | 'embedded.postgres-unreachable'
  | 'embedded.postgres-user-missing'
  | 'embedded.stopped'
  | 'embedded.system-unsupported';

/** A refusal or failure of this library: `message` names the thing and the rule, `remedy` says what to do. Never holds a secret. */
export class EmbeddedError extends CatenaError {
  declare readonly code: EmbeddedErrorCode;

  constructor(
    code: EmbeddedErrorCode,
    problem: string,
    remedy: string,
    details: Record<string, unknown> = {},
    cause?: unknown,
  ) {
    super(code, `${problem}.`, { remedy, details, cause });
  }
}

/** The text of anything that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
