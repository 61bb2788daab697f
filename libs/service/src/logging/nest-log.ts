import type { LoggerService } from '@nestjs/common';
import type { Log } from './log.ts';

/** What the framework has to say goes through the same log; its chatter at start only when debugging. */
export class NestLog implements LoggerService {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.#log.debug(String(message), about(rest));
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#log.debug(String(message), about(rest));
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.#log.debug(String(message), about(rest));
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#log.warn(String(message), about(rest));
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.#log.error(message instanceof Error ? message.message : String(message), {
      ...about(rest),
      ...(message instanceof Error ? { error: message } : {}),
    });
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.error(message, ...rest);
  }
}

/** The framework passes the speaker's name last, and a stack before it when there is one. */
function about(rest: readonly unknown[]): Record<string, unknown> {
  const [speaker, stack] = [...rest].reverse();
  return {
    ...(typeof speaker === 'string' ? { speaker } : {}),
    ...(typeof stack === 'string' ? { stack } : {}),
  };
}
