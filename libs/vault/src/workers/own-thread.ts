import type { TaskContext, TaskHandlers, TaskInput, TaskOutput, TaskRunner } from './task.ts';
import { Transferring } from './task.ts';

/** Runs the tasks where it is called: for little work, which is done before another thread would have started. */
export class OwnThread<T extends TaskHandlers> implements TaskRunner<T> {
  private readonly handlers: T;
  private readonly context: TaskContext = { state: new Map() };
  private tail: Promise<unknown> = Promise.resolve();

  constructor(handlers: T) {
    this.handlers = handlers;
  }

  run<K extends keyof T & string>(name: K, input: TaskInput<T, K>): Promise<TaskOutput<T, K>> {
    const done = this.tail.then(async () => {
      const output = await this.handlers[name]?.(input, this.context);
      return (output instanceof Transferring ? output.value : output) as TaskOutput<T, K>;
    });
    this.tail = done.catch(() => undefined);
    return done;
  }
}
