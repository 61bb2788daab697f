/** What both sides of a worker thread agree on. Nothing here may import more than node: every thread loads it. */
import type { Transferable } from 'node:worker_threads';

/** What a task may use besides its input. Tasks of one thread run one after another. */
export interface TaskContext {
  /** What earlier tasks on this thread have left, e.g. an object that is being filled. */
  readonly state: Map<string, unknown>;
}

/** Input and output must survive a structured clone. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each task has types of its own
export type TaskHandlers = Readonly<Record<string, (input: any, context: TaskContext) => unknown>>;

export type TaskInput<T extends TaskHandlers, K extends keyof T> = Parameters<T[K]>[0];
export type TaskOutput<T extends TaskHandlers, K extends keyof T> =
  Awaited<ReturnType<T[K]>> extends Transferring<infer O> ? O : Awaited<ReturnType<T[K]>>;

/** A result of which some buffers change their owner instead of being copied. */
export class Transferring<O> {
  readonly value: O;
  readonly buffers: readonly Transferable[];

  constructor(value: O, buffers: readonly Transferable[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

/** Something that carries out tasks: a thread, or the caller's own. */
export interface TaskRunner<T extends TaskHandlers> {
  run<K extends keyof T & string>(
    name: K,
    input: TaskInput<T, K>,
    transfer?: readonly Transferable[],
  ): Promise<TaskOutput<T, K>>;
}

export interface TaskMessage {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

export type TaskReply =
  { readonly id: number; readonly output: unknown } | { readonly id: number; readonly error: PlainError };

/** An error as it goes from thread to thread: a structured clone would lose its code. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** Own members that can be cloned: `code`, `errno`, `syscall`, `path`, … */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

export function plainError(error: unknown): PlainError {
  if (typeof error !== 'object' || error === null)
    return { name: 'Error', message: String(error), fields: {} };
  const { name, message, stack } = error as Partial<Error>;
  const fields: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(error))
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      fields[key] = value;
  return {
    name: name ?? 'Error',
    message: message ?? 'something without a message was thrown',
    ...(stack === undefined ? {} : { stack }),
    fields,
  };
}

/** Makes errors of a class again; the names are those the errors carry. */
export type ErrorTypes = Readonly<Record<string, (message: string) => Error>>;

/** The error as it was thrown on the other thread: same name, message, code and stack. */
export function errorFrom(plain: PlainError, types: ErrorTypes): Error {
  const { name, message, stack, fields } = plain;
  const error = types[name]?.(message) ?? new Error(message);
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  if (stack !== undefined) error.stack = stack;
  return Object.assign(error, fields);
}
