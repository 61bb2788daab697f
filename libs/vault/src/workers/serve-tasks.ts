import { parentPort } from 'node:worker_threads';
import type { TaskContext, TaskHandlers, TaskMessage, TaskReply } from './task.ts';
import { plainError, Transferring } from './task.ts';

/** Makes the thread that calls it a worker for these tasks; they run one after another, in the order they came. */
export function serveTasks(handlers: TaskHandlers): void {
  const port = parentPort;
  if (port === null) throw new Error('tasks are served by worker threads only');
  const context: TaskContext = { state: new Map() };
  const carryOut = async ({ id, name, input }: TaskMessage): Promise<void> => {
    try {
      const handler = handlers[name];
      if (handler === undefined) throw new Error(`this worker knows no task ${name}`);
      const output = await handler(input, context);
      if (output instanceof Transferring)
        port.postMessage({ id, output: output.value } satisfies TaskReply, output.buffers);
      else port.postMessage({ id, output } satisfies TaskReply);
    } catch (error) {
      port.postMessage({ id, error: plainError(error) } satisfies TaskReply);
    }
  };
  let tail: Promise<void> = Promise.resolve();
  port.on('message', (message: TaskMessage) => {
    tail = tail.then(() => carryOut(message));
  });
}
