import { userInfo } from 'node:os';
import { CatenaError, freshId } from '@catena/events';
import type { CatenaClient } from '@catena/client';
import { ExitCode } from './exit-codes.ts';

/** One call of the program: where it writes, whom it speaks for, how it reaches the platform. */
export interface Invocation {
  /** The data folder. */
  readonly home: string;
  /** Answer with JSON instead of text. */
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** Connects on first use; commands that need no service never call it. */
  connect(): Promise<CatenaClient>;
  /** Connects with the account that sets the platform up: for imports and dead letters. */
  connectAsOperator(): Promise<CatenaClient>;
  /** What every command to a service carries. */
  command(): { commandId: string; actor: string };
  /** Text for people; left out with --json. */
  say(text: string): void;
  /** Remarks for people, on standard error, also with --json. */
  remark(text: string): void;
  /** The answer for programs; only with --json. */
  answer(value: unknown): void;
  /** The code to end with; the last word wins. */
  exit(code: ExitCode): void;
}

/** Who gives commands: the name the system knows the person by. */
export function currentActor(): string {
  try {
    return `person:${userInfo().username}`;
  } catch (error) {
    // A uid without an account has no name; the number still tells people apart.
    if (process.getuid) return `person:uid-${process.getuid()}`;
    throw error;
  }
}

export function newCommand(): { commandId: string; actor: string } {
  return { commandId: freshId(), actor: currentActor() };
}

/** A refusal by the command line itself. */
export class UsageError extends CatenaError {
  constructor(message: string, remedy?: string) {
    super('cli.usage', message, { remedy });
  }
}

/** A thing that a person named is not there, or stands in the way. */
export class NotPossibleError extends CatenaError {
  constructor(message: string, remedy?: string) {
    super('cli.not-possible', message, { remedy });
  }
}

const UNREACHABLE = new Set([
  'embedded.not-started',
  'nats.unreachable',
  'messages.no-responder',
  'messages.timeout',
  'platform.not-ready',
  'catalog.read-models-away',
  'service.behind',
]);

const USAGE = new Set(['cli.usage', 'client.question-not-understood']);

const DAMAGE = new Set(['vault.damaged', 'vault.object-missing']);

/** The exit code that an error ends with. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CatenaError) {
    if (USAGE.has(error.code)) return ExitCode.usage;
    if (UNREACHABLE.has(error.code)) return ExitCode.unreachable;
    if (DAMAGE.has(error.code)) return ExitCode.damageFound;
    if (error.code === 'client.stopped-waiting') return ExitCode.interrupted;
    if (error.code.startsWith('internal.')) return ExitCode.internal;
    return ExitCode.refused;
  }
  return ExitCode.internal;
}
