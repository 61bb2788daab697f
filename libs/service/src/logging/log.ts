import { AsyncLocalStorage } from 'node:async_hooks';
import { describeError } from '@catena/events';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFields = Readonly<Record<string, unknown>>;

export interface LogOptions {
  readonly service: string;
  readonly instance: string;
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  readonly write?: (line: string) => void;
}

const context = new AsyncLocalStorage<LogFields>();

/** Everything logged inside `work`, however deep and however late, carries these fields: the run's id above all. */
export function withLogFields<T>(fields: LogFields, work: () => T): T {
  return context.run({ ...context.getStore(), ...fields }, work);
}

/** Structured lines on standard output: one JSON object each, or a short text for people who develop. */
export class Log {
  readonly #options: LogOptions;
  readonly #fields: LogFields;
  readonly #write: (line: string) => void;

  constructor(options: LogOptions, fields: LogFields = {}) {
    this.#options = options;
    this.#fields = fields;
    this.#write = options.write ?? ((line) => process.stdout.write(line));
  }

  /** The same log with fields of its own on every line. */
  child(fields: LogFields): Log {
    return new Log(this.#options, { ...this.#fields, ...fields });
  }

  debug(message: string, fields?: LogFields): void {
    this.#line('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#line('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#line('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#line('error', message, fields);
  }

  #line(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (logLevels.indexOf(level) < logLevels.indexOf(this.#options.level)) return;
    const { service, instance, format } = this.#options;
    const extra = { ...context.getStore(), ...this.#fields, ...fields };
    const time = new Date().toISOString();
    if (format === 'pretty') {
      const rest = Object.keys(extra).length === 0 ? '' : ` ${JSON.stringify(extra, readable)}`;
      this.#write(`${time.slice(11, 23)} ${level.padEnd(5)} ${service} ${message}${rest}\n`);
      return;
    }
    this.#write(`${JSON.stringify({ time, level, service, instance, message, ...extra }, readable)}\n`);
  }
}

/** Errors by their description, with the stack only where it is the only trace; wide integers as text. */
function readable(_key: string, value: unknown): unknown {
  if (value instanceof Error) {
    const description = describeError(value);
    return description.code === 'internal.unexpected' ? { ...description, stack: value.stack } : description;
  }
  return typeof value === 'bigint' ? value.toString() : value;
}
